"""The control API of a running emulator, below ``/_emulator/``.

It needs no key, and answers requests from the same machine only.

====== ========================== ======================================================================
GET    /_emulator/calls           Return all calls, with the fields that Retell's API does not show
POST   /_emulator/calls           Add calls: an object or a list of objects, as for ``Emulator.add_call``
PATCH  /_emulator/calls/{call_id} Edit a call: ``{"call_status": "ended"}``, as for ``Emulator.edit_call``
GET    /_emulator/chats           Return all chats; POST adds some, PATCH with an id edits one
GET    /_emulator/contacts        Return all contacts; POST adds some, PATCH with an id edits one
GET    /_emulator/knowledge_bases Return all knowledge bases; POST adds one, PATCH with an id edits one
GET    /_emulator/faults          Return the faults with the number of requests that each has struck
POST   /_emulator/faults          Add a fault: ``{"kind": "status", "status": 429, "times": 3}``
DELETE /_emulator/faults          Remove all faults
GET    /_emulator/clock           Return ``{"now_ms", "speed", "frozen"}``
POST   /_emulator/clock           Set the clock: ``{"advance": seconds}``, ``{"frozen": true}`` or both
GET    /_emulator/requests        Return the recorded requests
DELETE /_emulator/requests        Forget the recorded requests
GET    /_emulator/webhooks        Return the webhook events, with the status code of each attempt
POST   /_emulator/webhooks        Set the receiver: ``{"url": "http://...", "events": ["call_ended"]}``
POST   /_emulator/webhooks/send   Send an event now: ``{"event": "call_ended", "call_id": "call_1"}``, or a chat's
POST   /_emulator/reset           Clear objects, faults, requests and used quota
====== ========================== ======================================================================

``agents``, ``llms``, ``conversation-flows``, ``phone-numbers``, ``test-cases`` and ``batch-tests`` are served
like ``calls``, with the arguments of ``Emulator.add_agent``, ``Emulator.edit_agent`` and so on.

Add ``?organization=NAME`` to work on the objects of another organization than the default one. The fields of a
fault are the arguments of the :class:`~.faults.Fault` method of that kind, and those of ``Faults.add``.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow_provider_retell.emulator.faults import KINDS, Fault
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from airflow_provider_retell.emulator.backend import Backend
    from airflow_provider_retell.emulator.state import State

PREFIX = "/_emulator/"

_FAULT_FIELDS = ("status", "headers", "body", "seconds", "location")


class Control:
    """Answers the requests below :data:`PREFIX`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._actions: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "faults"): lambda _: state.faults.describe(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda _: state.faults.clear(),
            ("GET", "clock"): lambda _: self._clock(),
            ("POST", "clock"): self._set_clock,
            ("GET", "requests"): lambda _: [dataclasses.asdict(r) for r in state.recorder.requests()],
            ("DELETE", "requests"): lambda _: state.recorder.clear(),
            ("GET", "webhooks"): lambda _: [dataclasses.asdict(d) for d in state.webhooks.deliveries],
            ("POST", "webhooks"): self._set_webhooks,
            ("POST", "webhooks/send"): self._send_webhook,
            ("POST", "reset"): lambda _: state.reset(),
        }

    def handle(self, incoming: web.BaseRequest, body: Any) -> Response:
        """Answer a request: 200 with the action's result, or 204 if it has none."""
        # Browsers send an Origin header for the scripts of web pages, which must not control the emulator.
        if not _is_loopback(incoming.remote) or "Origin" in incoming.headers:
            return ApiError(403, "The control API answers requests from the same machine only").response()
        path = incoming.raw_path.partition("?")[0]
        name, slash, object_id = path.removeprefix(PREFIX).partition("/")
        try:
            action = self._actions.get((incoming.method, name + slash + object_id))
            if action is not None:
                value = action(body)
                return Response(204) if value is None else json_response(200, value)
            organization = self._state.organization(incoming.query.get("organization", "default"))
            organization.catch_up()
            backend = organization.backends.get(name)
            if backend is not None:
                with self._state.options.clock.lock:
                    value = _on_objects(backend, incoming.method, unquote(object_id), body)
                organization.catch_up()
                if value is not None:
                    return json_response(200, value)
        except LookupError as error:
            return ApiError(404, str(error.args[0])).response()
        except (ValueError, TypeError) as error:
            return ApiError(400, str(error)).response()
        return text_response(404, f"Cannot {incoming.method} {path}")

    def _add_fault(self, body: Any) -> list[dict[str, Any]]:
        if not isinstance(body, dict) or body.get("kind") not in KINDS:
            raise ValueError(f"a fault must be an object whose kind is one of {', '.join(KINDS)}")
        details = {name: value for name, value in body.items() if name in _FAULT_FIELDS}
        conditions = {name: value for name, value in body.items() if name not in (*_FAULT_FIELDS, "kind")}
        self._state.faults.add(getattr(Fault, body["kind"])(**details), **conditions)
        return self._state.faults.describe()

    def _set_webhooks(self, body: Any) -> dict[str, Any]:
        webhooks = self._state.webhooks
        if not isinstance(body, dict) or not body or not body.keys() <= {"url", "events"}:
            raise ValueError('the body must be {"url": "http://..."}, {"events": [...]} or both')
        webhooks.configure(body.get("url", webhooks.url), body.get("events", webhooks.events))
        return {"url": webhooks.url, "events": sorted(webhooks.events)}

    def _send_webhook(self, body: Any) -> None:
        noun = "chat" if isinstance(body, dict) and "chat_id" in body else "call"
        if not isinstance(body, dict) or body.keys() - {"organization"} != {"event", f"{noun}_id"}:
            raise ValueError(
                'the body must be {"event": "call_ended", "call_id": "call_1"} or {"event": "chat_ended", "chat_id": '
                '"chat_1"}'
            )
        organization = self._state.organization(body.get("organization", "default"))
        event, record_id = body["event"], body[f"{noun}_id"]
        if self._state.webhooks.url is None:
            raise ValueError("there is no receiver: set its url first")
        records = organization.chats if noun == "chat" else organization.calls
        if not str(event).startswith(f"{noun}_"):
            raise ValueError(f"event must be an event of a {noun}, not {event!r}")
        if record_id not in records:
            raise LookupError(f"there is no {noun} {record_id!r}")
        backend = organization.chat_backend if noun == "chat" else organization.call_backend
        self._state.webhooks.send(event, backend.visible(records[record_id]), organization.api_key)

    def _clock(self) -> dict[str, Any]:
        clock = self._state.options.clock
        return {"now_ms": clock.now_ms(), "speed": clock.speed, "frozen": clock.frozen}

    def _set_clock(self, body: Any) -> dict[str, Any]:
        clock = self._state.options.clock
        if not isinstance(body, dict) or not body.keys() <= {"advance", "frozen"}:
            raise ValueError('the body must be {"advance": seconds}, {"frozen": true or false} or both')
        if "frozen" in body:
            (clock.freeze if body["frozen"] else clock.resume)()
        if "advance" in body:
            clock.advance(body["advance"])
        return self._clock()


def _on_objects(backend: Backend[Any], method: str, object_id: str, body: Any) -> Any:
    """Act on the objects of a resource and return the result, or None if there is no such action."""
    if method == "GET" and not object_id:
        return backend.all()
    if method == "POST" and not object_id:
        entries = body if isinstance(body, list) else [body]
        if not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("the body must be an object or a list of objects")
        return [backend.add(**entry) for entry in entries]
    if method == "PATCH" and object_id:
        if not isinstance(body, dict):
            raise ValueError("the body must be an object")
        return backend.edit(object_id, **body)
    return None


def _is_loopback(address: str | None) -> bool:
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
