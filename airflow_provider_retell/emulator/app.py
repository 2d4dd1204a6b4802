"""HTTP in and out: reads requests, lets faults strike, records, sends answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from airflow_provider_retell.emulator import gate
from airflow_provider_retell.emulator.control import PREFIX, Control
from airflow_provider_retell.emulator.errors import Answer, ApiError
from airflow_provider_retell.emulator.recorder import RecordedRequest
from airflow_provider_retell.emulator.routes import Route, match

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.faults import Fault
    from airflow_provider_retell.emulator.world import World

MAX_BODY = 8_000_000
"""The most bytes a request body may have; more answers 413."""

log = logging.getLogger("airflow_provider_retell.emulator")


class App:
    """The handler of all requests of one emulator."""

    def __init__(self, world: World, stopping: asyncio.Event) -> None:
        self._world = world
        self._stopping = stopping
        self._control = Control(world)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        raw = await _read(request)
        if raw is None:
            response = _response(ApiError(413, "Request body is too large").answer())
            response.force_close()
            self._log(request, 413)
            return response
        body = gate.parse(raw)
        if request.raw_path.startswith(PREFIX):
            answer = self._control.answer(request, body)
            self._log(request, answer.status)
            return _response(answer)
        return await self._serve(request, body)

    async def _serve(self, request: web.BaseRequest, body: Any) -> web.StreamResponse:
        world = self._world
        route, call_id = match(request.method, request.raw_path)
        key = world.keys.get(gate.secret_of(request.headers.get("Authorization")))
        organization = key.organization.name if key else None
        name = route.name if route else None
        world.recorder.arrived(name, organization)
        record = None
        if world.recorder.keeps:
            record = _record(request, name, call_id, organization, body)
            world.recorder.keep(record)
        fault = world.faults.pick(name, call_id, organization)
        status = None
        try:
            if fault is None:
                answer = self._act(request, route, call_id, body)
                status = answer.status
                return _response(answer)
            response = await self._fail(request, route, call_id, body, fault)
            status = None if response is None else response.status
            # aiohttp wants a response even where the connection is gone; nothing of it is sent.
            return web.Response() if response is None else response
        finally:
            if record is not None:
                record.status = status
            world.recorder.answered(name, organization, status)
            self._log(request, status)

    def _act(self, request: web.BaseRequest, route: Route | None, call_id: str, body: Any) -> Answer:
        path = request.raw_path.partition("?")[0]
        authorization = request.headers.get("Authorization")
        return gate.answer(self._world, route, request.method, path, call_id, authorization, body)

    async def _fail(
        self, request: web.BaseRequest, route: Route | None, call_id: str, body: Any, fault: Fault
    ) -> web.StreamResponse | None:
        if fault.answer is not None:
            return _response(fault.answer)
        if fault.kind == "slow":
            await self._pause(fault.seconds)
            return _response(self._act(request, route, call_id, body))
        if fault.kind == "hang":
            while not _gone(request) and not self._stopping.is_set():
                await self._pause(0.05)
        elif fault.kind == "truncate":
            answer = self._act(request, route, call_id, body)
            return await _send_half(request, answer)
        elif fault.kind == "drop_after":
            self._act(request, route, call_id, body)
        if request.transport is not None:
            request.transport.abort()
        return None

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _log(self, request: web.BaseRequest, status: int | None) -> None:
        if log.isEnabledFor(logging.INFO):
            log.info("%s %s %s", request.method, request.raw_path, status or "(no answer)")


async def _read(request: web.BaseRequest) -> bytes | None:
    """Return the body, or None if it is too large."""
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > MAX_BODY:
        return None
    if request.content_length is not None:
        return await request.content.read()
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _response(answer: Answer) -> web.Response:
    headers = answer.headers
    if answer.body:
        headers = {"Content-Type": answer.content_type, **headers}
    return web.Response(status=answer.status, body=answer.body or None, headers=headers)


def _record(
    request: web.BaseRequest, route: str | None, call_id: str, organization: str | None, body: Any
) -> RecordedRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.pop("authorization", None)
    return RecordedRequest(
        method=request.method,
        path=request.raw_path,
        route=route,
        call_id=call_id or None,
        organization=organization,
        status=None,
        body=None if body is gate.BAD_JSON else body,
        headers=headers,
        at=time.monotonic(),
    )


def _gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _send_half(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
