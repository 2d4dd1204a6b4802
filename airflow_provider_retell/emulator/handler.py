"""The HTTP handler: read a request, apply a fault or dispatch it, record it, send the response."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from airflow_provider_retell.emulator.control import PREFIX, Control
from airflow_provider_retell.emulator.dispatch import BAD_JSON, dispatch, parse
from airflow_provider_retell.emulator.multipart import BodyTooLarge, Form, read_form
from airflow_provider_retell.emulator.recorder import RecordedRequest
from airflow_provider_retell.emulator.responses import ApiError, Response
from airflow_provider_retell.emulator.routing import Request

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.faults import Fault
    from airflow_provider_retell.emulator.state import State

MAX_BODY = 8_000_000
"""The largest request body in bytes, except for forms; larger ones are answered with 413."""

log = logging.getLogger("airflow_provider_retell.emulator")


class Handler:
    """The handler of all requests to one emulator.

    :param state: the state to serve.
    :param stopping: set when the server stops; ends all pauses.
    """

    def __init__(self, state: State, stopping: asyncio.Event) -> None:
        self._state = state
        self._stopping = stopping
        self._control = Control(state)

    async def __call__(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            body = await _read(incoming)
        except BodyTooLarge:
            response = _to_aiohttp(ApiError(413, "Request body is too large").response())
            response.force_close()
            _log(incoming, 413)
            return response
        if incoming.raw_path.startswith(PREFIX):
            answer = self._control.handle(incoming, body)
            _log(incoming, answer.status)
            return _to_aiohttp(answer)
        authorization = incoming.headers.get("Authorization")
        request = Request(
            incoming.method,
            incoming.raw_path,
            authorization,
            body,
            *self._state.router.match(incoming.method, incoming.raw_path),
            self._state.find_key(authorization),
            incoming.headers.get("Range"),
        )
        return await self._serve(incoming, request)

    async def _serve(self, incoming: web.BaseRequest, request: Request) -> web.StreamResponse:
        recorder = self._state.recorder
        route, organization = request.route_name, request.organization_name
        recorder.received(route, organization)
        record = None
        if recorder.keeps:
            record = _record(incoming, request)
            recorder.keep(record)
        fault = self._state.faults.pick(request)
        status = None
        try:
            if fault is None:
                response = dispatch(self._state, request)
                status = response.status
                return _to_aiohttp(response)
            sent = await self._fail(incoming, request, fault)
            status = None if sent is None else sent.status
            # aiohttp demands a response even after the connection was closed; it sends nothing then.
            return web.Response() if sent is None else sent
        finally:
            if record is not None:
                record.status = status
            recorder.answered(route, organization, status)
            _log(incoming, status)

    async def _fail(
        self, incoming: web.BaseRequest, request: Request, fault: Fault
    ) -> web.StreamResponse | None:
        """Apply *fault*; return None if it closed the connection without a response."""
        if fault.response is not None:
            return _to_aiohttp(fault.response)
        if fault.kind == "slow":
            await self._pause(fault.seconds)
            return _to_aiohttp(dispatch(self._state, request))
        if fault.kind == "hang":
            while not _gone(incoming) and not self._stopping.is_set():
                await self._pause(0.05)
        elif fault.kind == "truncate":
            return await _send_half(incoming, dispatch(self._state, request))
        elif fault.kind == "drop_after":
            dispatch(self._state, request)
        if incoming.transport is not None:
            incoming.transport.abort()
        return None

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _log(incoming: web.BaseRequest, status: int | None) -> None:
    if log.isEnabledFor(logging.INFO):
        log.info("%s %s %s", incoming.method, incoming.raw_path, status or "(no response)")


async def _read(incoming: web.BaseRequest) -> Any:
    """Return the JSON value or the :class:`Form` in the body, None if it is empty, or :data:`BAD_JSON`.

    :raises BodyTooLarge: if the body is too large.
    """
    if not incoming.body_exists:
        return None
    if incoming.content_type == "multipart/form-data":
        return await read_form(incoming) or BAD_JSON
    if (incoming.content_length or 0) > MAX_BODY:
        raise BodyTooLarge
    if incoming.content_length is not None:
        return parse(await incoming.content.read())
    parts: list[bytes] = []
    size = 0
    async for part in incoming.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            raise BodyTooLarge
        parts.append(part)
    return parse(b"".join(parts))


def _to_aiohttp(response: Response) -> web.Response:
    headers = response.headers
    if response.body:
        headers = {"Content-Type": response.content_type, **headers}
    return web.Response(status=response.status, body=response.body or None, headers=headers)


def _record(incoming: web.BaseRequest, request: Request) -> RecordedRequest:
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    headers.pop("authorization", None)
    return RecordedRequest(
        method=request.method,
        path=request.target,
        route=request.route_name,
        ids=request.ids,
        organization=request.organization_name,
        status=None,
        body=_recordable(request.body),
        headers=headers,
        at=time.monotonic(),
    )


def _recordable(body: Any) -> Any:
    if isinstance(body, Form):
        return body.describe()
    return None if body is BAD_JSON else body


def _gone(incoming: web.BaseRequest) -> bool:
    return incoming.transport is None or incoming.transport.is_closing()


async def _send_half(incoming: web.BaseRequest, response: Response) -> web.StreamResponse:
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    sent.content_type = response.content_type.partition(";")[0]
    sent.content_length = len(response.body)
    await sent.prepare(incoming)
    await sent.write(response.body[: len(response.body) // 2])
    if incoming.transport is not None:
        incoming.transport.close()
    return sent
