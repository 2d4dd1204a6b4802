"""The emulator's own endpoints, for tests that reach it over HTTP.

They need no key and answer loopback clients only.

====== ======================= ==========================================================================
GET    /_emulator/calls        the calls of an organization, with the fields that Retell does not show
POST   /_emulator/calls        add calls: one object or a list, as for ``Emulator.add_call``
GET    /_emulator/faults       the faults and how often they struck
POST   /_emulator/faults       add one: ``{"kind": "status", "status": 429, "times": 3}``
DELETE /_emulator/faults       remove them all
GET    /_emulator/clock        ``{"now_ms", "speed", "frozen"}``
POST   /_emulator/clock        ``{"advance": seconds}`` and/or ``{"frozen": true or false}``
GET    /_emulator/requests     the recorded requests
DELETE /_emulator/requests     forget them
POST   /_emulator/reset        forget calls, faults, requests and used quota
====== ======================= ==========================================================================

``?organization=NAME`` speaks of another organization than the default one. The fields of a fault are those of
:class:`~.faults.Fault` (``status``, ``headers``, ``body``, ``seconds``, ``location``) and of ``Faults.add``.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer, text_answer
from airflow_provider_retell.emulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from airflow_provider_retell.emulator.world import World

PREFIX = "/_emulator/"

_FAULT_FIELDS = ("status", "headers", "body", "seconds", "location")
_KINDS = ("status", "slow", "drop", "drop_after", "truncate", "garbage", "hang", "redirect")


class Control:
    """Answers the requests below :data:`PREFIX`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._actions: dict[tuple[str, str], Callable[[str, Any], Any]] = {
            ("GET", "calls"): self._calls,
            ("POST", "calls"): self._add_calls,
            ("GET", "faults"): lambda _, __: world.faults.describe(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda _, __: world.faults.clear(),
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "requests"): lambda _, __: [dataclasses.asdict(r) for r in world.recorder.requests()],
            ("DELETE", "requests"): lambda _, __: world.recorder.clear(),
            ("POST", "reset"): lambda _, __: world.reset(),
        }

    def answer(self, request: web.BaseRequest, body: Any) -> Answer:
        """Answer one control request; what the value of the action is decides between 200 and 204."""
        # An Origin header means a web page asks: it has no business here, even from this machine.
        if not _is_loopback(request.remote) or "Origin" in request.headers:
            return ApiError(403, "The emulator's own endpoints answer loopback clients only").answer()
        action = self._actions.get((request.method, request.path.removeprefix(PREFIX)))
        if action is None:
            return text_answer(404, f"Cannot {request.method} {request.path}")
        try:
            value = action(request.query.get("organization", "default"), body)
        except (ValueError, TypeError, KeyError) as error:
            return ApiError(400, str(error)).answer()
        return Answer(204) if value is None else json_answer(200, value)

    def _calls(self, name: str, _: Any) -> list[dict[str, Any]]:
        return list(self._world.organizations[name].calls.values())

    def _add_calls(self, name: str, body: Any) -> list[dict[str, Any]]:
        entries = body if isinstance(body, list) else [body]
        if not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("a call must be an object")
        return [self._world.organizations[name].add_call(**entry) for entry in entries]

    def _add_fault(self, _: str, body: Any) -> list[dict[str, Any]]:
        if not isinstance(body, dict) or body.get("kind") not in _KINDS:
            raise ValueError(f"a fault must be an object whose kind is one of {', '.join(_KINDS)}")
        details = {name: value for name, value in body.items() if name in _FAULT_FIELDS}
        rest = {name: value for name, value in body.items() if name not in (*_FAULT_FIELDS, "kind")}
        self._world.faults.add(getattr(Fault, body["kind"])(**details), **rest)
        return self._world.faults.describe()

    def _clock(self, _: str, __: Any) -> dict[str, Any]:
        clock = self._world.options.clock
        return {"now_ms": clock.now_ms(), "speed": clock.speed, "frozen": clock.frozen}

    def _set_clock(self, name: str, body: Any) -> dict[str, Any]:
        clock = self._world.options.clock
        if not isinstance(body, dict) or not body.keys() <= {"advance", "frozen"}:
            raise ValueError('give {"advance": seconds} or {"frozen": true or false}')
        if "frozen" in body:
            (clock.freeze if body["frozen"] else clock.resume)()
        if "advance" in body:
            clock.advance(body["advance"])
        return self._clock(name, None)


def _is_loopback(address: str | None) -> bool:
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
