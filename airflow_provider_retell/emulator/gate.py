"""What every request passes before its endpoint acts: key, permission, quota, body."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer
from airflow_provider_retell.emulator.quota import Window, refusal
from airflow_provider_retell.emulator.schema import check

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization import ApiKey
    from airflow_provider_retell.emulator.routes import Route
    from airflow_provider_retell.emulator.world import World

BAD_JSON = object()
"""Stands for a request body that is not JSON."""


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond what JSON readers hold")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant).decode


def parse(raw: bytes) -> Any:
    """Return the JSON value of a body, None for an empty one, :data:`BAD_JSON` if it is none."""
    if not raw:
        return None
    try:
        return _decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return BAD_JSON


def secret_of(authorization: str | None) -> str:
    """Return the key in an Authorization header, "" if it holds none."""
    scheme, _, secret = (authorization or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def answer(
    world: World,
    route: Route | None,
    method: str,
    path: str,
    call_id: str,
    authorization: str | None,
    body: Any,
) -> Answer:
    """Answer one request: refuse it, or let its endpoint act."""
    if route is None:
        return Answer(404, f"Cannot {method} {path}".encode("utf-8", "replace"), "text/html; charset=utf-8")
    if authorization is None:
        return json_answer(401, {"error_message": "Authorization header required"})
    key = world.keys.get(secret_of(authorization))
    if key is None:
        return ApiError(401, "Invalid API Key.").answer()
    if route.permission is not None and not key.allows(*route.permission):
        return ApiError(403, "Forbidden").answer()
    with world.options.clock.lock:
        return _within_quota(world, key, route, call_id, body)


def _within_quota(world: World, key: ApiKey, route: Route, call_id: str, body: Any) -> Answer:
    quotas = key.organization.quotas
    window = quotas.window(route.limiter, route.name)
    errors = quotas.window("call-error", route.name) if route.limiter == "call" else None
    now = time.monotonic()
    # A refused request uses up nothing, so both windows are asked before either is charged.
    for limiter, asked in ((route.limiter, window), ("call-error", errors)):
        if asked is not None and asked.remaining(now) <= 0:
            return refusal(limiter, asked, world.options.throttle_headers)
    if window is not None:
        window.taken.append(now)
    result = _act(key, route, call_id, body)
    if errors is not None and 400 <= result.status < 500:
        errors.taken.append(now)
    if window is not None:
        _add_headers(result, window, now)
    return result


def _add_headers(result: Answer, window: Window, now: float) -> None:
    result.headers.update(window.headers(now))


def _act(key: ApiKey, route: Route, call_id: str, body: Any) -> Answer:
    organization = key.organization
    organization.catch_up()
    try:
        if route.endpoint is None:
            return _key_info(key)
        if route.schema is not None:
            if body is BAD_JSON:
                raise ApiError(400, "body is not valid JSON")
            if body is None and route.body_optional:
                body = {}
            problem = check(body, route.schema)
            if problem is not None:
                raise ApiError(400, problem)
        return route.endpoint(organization, call_id, body)
    except ApiError as error:
        return error.answer()


def _key_info(key: ApiKey) -> Answer:
    if not key.api_key_info:
        raise ApiError(403, "Forbidden")
    info = {"org_id": key.organization.org_id, "org_name": key.organization.name}
    if key.name is not None:
        info["api_key_name"] = key.name
    return json_answer(200, info)
