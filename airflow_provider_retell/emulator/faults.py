"""Faults on demand: which error strikes which requests, and how often."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.emulator.rate_limits import THROTTLED
from airflow_provider_retell.emulator.responses import JSON_TYPE, TEXT_TYPE, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.routing import Request

Kind = Literal["status", "slow", "drop", "drop_after", "truncate", "garbage", "hang", "redirect"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_MESSAGES = {429: THROTTLED, 500: "An unexpected error occurred", 503: "Service unavailable"}


@dataclass(frozen=True)
class Fault:
    """An error that the emulator can produce. Create one with a class method.

    ``status``, ``garbage`` and ``redirect`` respond in place of the endpoint; ``drop`` and ``hang`` send no
    response. With these five the request changes nothing, its key is not checked and it uses no quota.
    ``slow``, ``drop_after`` and ``truncate`` let the request act first.
    """

    kind: Kind
    seconds: float = 0.0
    response: Response | None = field(default=None, compare=False)

    @classmethod
    def status(cls, status: int, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Fault:
        """Respond with a status code.

        :param status: the status code, 200 to 599.
        :param headers: additional headers.
        :param body: a JSON value, or text to send as it is. Default: an error in Retell's format.
        """
        if not 200 <= status <= 599:
            raise ValueError(f"status must be between 200 and 599, not {status}")
        if body is None:
            body = {"status": "error", "message": _MESSAGES.get(status, f"Error {status}")}
        text = body if isinstance(body, str) else json.dumps(body)
        kind = TEXT_TYPE if isinstance(body, str) else JSON_TYPE
        return cls("status", response=Response(status, text.encode(), kind, dict(headers or {})))

    @classmethod
    def slow(cls, seconds: float) -> Fault:
        """Wait, then act and respond, even if the client has left in the meantime.

        :param seconds: seconds of real time, 0 or more.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"seconds must be 0 or more and finite, not {seconds}")
        return cls("slow", seconds=seconds)

    @classmethod
    def drop(cls) -> Fault:
        """Close the connection without acting."""
        return cls("drop")

    @classmethod
    def drop_after(cls) -> Fault:
        """Act, then close the connection without a response."""
        return cls("drop_after")

    @classmethod
    def truncate(cls) -> Fault:
        """Act, then send half of the body with the full Content-Length and close the connection."""
        return cls("truncate")

    @classmethod
    def garbage(cls, body: str = "<html><body>It works!</body></html>") -> Fault:
        """Respond with 200 and a body that is not JSON, as a proxy or a captive portal would.

        :param body: the text to send.
        """
        return cls("garbage", response=Response(200, body.encode(), TEXT_TYPE))

    @classmethod
    def hang(cls) -> Fault:
        """Never respond; the connection stays open until the client leaves or the emulator stops."""
        return cls("hang")

    @classmethod
    def redirect(cls, location: str = "https://example.invalid/") -> Fault:
        """Respond with 302.

        :param location: the value of the Location header.
        """
        response = json_response(302, {})
        response.headers["Location"] = location
        return cls("redirect", response=response)


@dataclass(eq=False)
class Rule:
    """A fault with its conditions, as returned by ``Faults.add``.

    :ivar seen: the number of requests that matched so far.
    :ivar hits: the number of requests that it struck so far.
    """

    fault: Fault
    route: str | None
    organization: str | None
    ids: Mapping[str, str]
    times: int | None
    probability: float
    after: int
    generator: random.Random
    seen: int = 0
    hits: int = 0

    def strikes(self, request: Request) -> bool:
        """Return whether the fault strikes *request*, and count the request."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.route not in (None, request.route_name):
            return False
        if self.organization not in (None, request.organization_name):
            return False
        if not self.ids.items() <= request.ids.items():
            return False
        self.seen += 1
        if self.seen <= self.after or self.generator.random() >= self.probability:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of an emulator. If several match a request, the one that was added first strikes.

    :param routes: the names of all routes.
    :param id_names: the names of the ids in their paths.
    """

    def __init__(self, routes: frozenset[str], id_names: frozenset[str]) -> None:
        self._routes = routes
        self._id_names = id_names
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(
        self,
        fault: Fault,
        *,
        route: str | None = None,
        organization: str | None = None,
        times: int | None = None,
        probability: float | None = None,
        seed: int = 0,
        after: int = 0,
        **ids: str | None,
    ) -> Rule:
        """Let *fault* strike the requests that match, and return its rule.

        Example: ``faults.add(Fault.status(429), route="update-call", call_id="call_1", times=3)``

        :param fault: the fault.
        :param route: the name of an endpoint, such as "update-call". Default: all.
        :param organization: the name of the key's organization. Default: all.
        :param times: the number of requests to strike; 0 means no limit. Default: 1, or no limit with
            *probability*.
        :param probability: the chance to strike a request, from 0 to 1.
        :param seed: the seed of *probability*; the same seed strikes the same requests.
        :param after: the number of matching requests to let pass first.
        :param ids: an id in the path, such as ``call_id="call_1"``. Default: any.
        :raises ValueError: for an unknown route or id, or a number out of range.
        """
        if route is not None and route not in self._routes:
            raise ValueError(f"unknown route {route!r}; known: {', '.join(sorted(self._routes))}")
        unknown = ids.keys() - self._id_names
        if unknown:
            known = ", ".join(sorted(self._id_names))
            raise ValueError(f"unknown condition {', '.join(sorted(unknown))}; known ids: {known}")
        if probability is not None and not 0 <= probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, not {probability}")
        if after < 0 or (times is not None and times < 0):
            raise ValueError("times and after must be 0 or more")
        if times is None and probability is None:
            times = 1
        rule = Rule(
            fault,
            route,
            organization,
            {name: value for name, value in ids.items() if value is not None},
            times or None,
            1.0 if probability is None else probability,
            after,
            random.Random(seed),  # noqa: S311 - repeatable on purpose
        )
        with self._lock:
            self._rules.append(rule)
        return rule

    def pick(self, request: Request) -> Fault | None:
        """Return the fault that strikes *request*, or None."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.strikes(request):
                    return rule.fault
        return None

    def remove(self, rule: Rule) -> None:
        """Remove the fault of *rule*."""
        with self._lock:
            if rule in self._rules:
                self._rules.remove(rule)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._rules.clear()

    def describe(self) -> list[dict[str, Any]]:
        """Return the faults as JSON values, for the control API."""
        with self._lock:
            return [
                {
                    "kind": rule.fault.kind,
                    "route": rule.route,
                    "organization": rule.organization,
                    **rule.ids,
                    "times": rule.times,
                    "hits": rule.hits,
                }
                for rule in self._rules
            ]
