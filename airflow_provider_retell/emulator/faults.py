"""Faults on demand: what goes wrong, for which requests, how often."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_retell.emulator.errors import JSON_TYPE, TEXT_TYPE, Answer, json_answer
from airflow_provider_retell.emulator.quota import THROTTLED

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["status", "slow", "drop", "drop_after", "truncate", "garbage", "hang", "redirect"]

_MESSAGES = {429: THROTTLED, 500: "An unexpected error occurred", 503: "Service unavailable"}


@dataclass(frozen=True)
class Fault:
    """One thing that can go wrong. Make it with one of the class methods.

    ``status``, ``garbage`` and ``redirect`` answer instead of the server, ``drop`` and ``hang`` give no
    answer: none of these acts, checks the key or uses quota. ``slow``, ``drop_after`` and ``truncate`` let
    the request act first.
    """

    kind: Kind
    seconds: float = 0.0
    answer: Answer | None = field(default=None, compare=False)

    @classmethod
    def status(cls, status: int, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Fault:
        """Answer ``status``. ``body``: JSON value, or text sent as it is; default Retell's error body."""
        if not 200 <= status <= 599:
            raise ValueError("status must be between 200 and 599")
        if body is None:
            body = {"status": "error", "message": _MESSAGES.get(status, f"Error {status}")}
        text = body if isinstance(body, str) else json.dumps(body)
        kind = TEXT_TYPE if isinstance(body, str) else JSON_TYPE
        return cls("status", answer=Answer(status, text.encode(), kind, dict(headers or {})))

    @classmethod
    def slow(cls, seconds: float) -> Fault:
        """Wait ``seconds`` of real time, then act and answer, even if the client has left meanwhile."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("seconds must be 0 or more")
        return cls("slow", seconds=seconds)

    @classmethod
    def drop(cls) -> Fault:
        """Close the connection without acting."""
        return cls("drop")

    @classmethod
    def drop_after(cls) -> Fault:
        """Act, then close the connection without an answer."""
        return cls("drop_after")

    @classmethod
    def truncate(cls) -> Fault:
        """Act, then send half of the body under the full Content-Length and close the connection."""
        return cls("truncate")

    @classmethod
    def garbage(cls, body: str = "<html><body>It works!</body></html>") -> Fault:
        """Answer 200 with something that is not JSON, as a proxy or captive portal would."""
        return cls("garbage", answer=Answer(200, body.encode(), TEXT_TYPE))

    @classmethod
    def hang(cls) -> Fault:
        """Never answer, until the client leaves or the emulator stops."""
        return cls("hang")

    @classmethod
    def redirect(cls, location: str = "https://example.invalid/") -> Fault:
        """Answer 302 to ``location``."""
        answer = json_answer(302, {})
        answer.headers["Location"] = location
        return cls("redirect", answer=answer)


@dataclass(eq=False)
class Rule:
    """A fault with its conditions. ``hits``: how many requests it struck so far."""

    fault: Fault
    route: str | None
    call_id: str | None
    organization: str | None
    times: int | None
    probability: float
    after: int
    generator: random.Random
    seen: int = 0
    hits: int = 0

    def strikes(self, route: str | None, call_id: str, organization: str | None) -> bool:
        """Whether the fault befalls this request; counts it either way."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.route not in (None, route) or self.call_id not in (None, call_id):
            return False
        if self.organization not in (None, organization):
            return False
        self.seen += 1
        if self.seen <= self.after or self.generator.random() >= self.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of an emulator. Of several that fit a request, the one added first strikes."""

    def __init__(self, routes: frozenset[str]) -> None:
        self._routes = routes
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(
        self,
        fault: Fault,
        *,
        route: str | None = None,
        call_id: str | None = None,
        organization: str | None = None,
        times: int | None = None,
        probability: float | None = None,
        seed: int = 0,
        after: int = 0,
    ) -> Rule:
        """Let ``fault`` strike the requests that fit, and return the rule, which counts its hits.

        ``route``: an endpoint's name such as "update-call". ``organization``: the name of the key's one. These
        and ``call_id`` narrow nothing when None. ``times``: how often it strikes; by default once, or without
        end if a ``probability`` is given; 0 means without end. ``probability``: from 0 to 1, drawn from
        ``seed``, so repeatable. ``after``: let so many fitting requests pass first.
        """
        if route is not None and route not in self._routes:
            raise ValueError(f"unknown route {route!r}; known: {', '.join(sorted(self._routes))}")
        if probability is not None and not 0 <= probability <= 1:
            raise ValueError("probability must be between 0 and 1")
        if after < 0 or (times is not None and times < 0):
            raise ValueError("times and after must be 0 or more")
        if times is None and probability is None:
            times = 1
        rule = Rule(
            fault,
            route,
            call_id,
            organization,
            times or None,
            1.0 if probability is None else probability,
            after,
            random.Random(seed),  # noqa: S311 - repeatable on purpose
        )
        with self._lock:
            self._rules.append(rule)
        return rule

    def pick(self, route: str | None, call_id: str, organization: str | None) -> Fault | None:
        """Return the fault for this request, if any."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.strikes(route, call_id, organization):
                    return rule.fault
        return None

    def remove(self, rule: Rule) -> None:
        """Let ``rule`` strike no more."""
        with self._lock:
            if rule in self._rules:
                self._rules.remove(rule)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._rules.clear()

    def describe(self) -> list[dict[str, Any]]:
        """Return the faults as JSON values, for the control endpoints."""
        with self._lock:
            return [
                {
                    "kind": rule.fault.kind,
                    "route": rule.route,
                    "call_id": rule.call_id,
                    "organization": rule.organization,
                    "times": rule.times,
                    "hits": rule.hits,
                }
                for rule in self._rules
            ]
