"""Request dispatch: check the key, its permission, the quota and the body, then call the endpoint."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.multipart import Form
from airflow_provider_retell.emulator.rate_limits import refusal
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response, text_response
from airflow_provider_retell.emulator.schema import check

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.api_keys import ApiKey
    from airflow_provider_retell.emulator.organization.organization import Organization
    from airflow_provider_retell.emulator.routing import Request, Route
    from airflow_provider_retell.emulator.state import State

BAD_JSON = object()
"""The body of a request whose body is not JSON."""


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("the number must fit a double")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant).decode


def parse(raw: bytes) -> Any:
    """Return the JSON value of a body, None if it is empty, or :data:`BAD_JSON` if it is not JSON."""
    if not raw:
        return None
    try:
        return _decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return BAD_JSON


def dispatch(state: State, request: Request) -> Response:
    """Call the endpoint of *request* and return its response, or the error that keeps it from acting."""
    route = request.route
    if route is None:
        return text_response(404, f"Cannot {request.method} {request.path}")
    if route.is_public:
        return _serve_public(state, route, request)
    if request.authorization is None:
        return json_response(401, {"error_message": "Authorization header required"})
    # Look the key up again: it may have been revoked since a slow request arrived.
    key = request.key = state.find_key(request.authorization)
    if key is None:
        return ApiError(401, "Invalid API Key.").response()
    if route.permission is not None and not key.allows(*route.permission):
        return ApiError(state.options.restricted_key_status, "Forbidden").response()
    with state.options.clock.lock:
        return _within_quota(state, key, route, request)


def _serve_public(state: State, route: Route, request: Request) -> Response:
    organization = state.organizations.get(request.ids["owner"])
    if organization is None:
        return text_response(404, f"Cannot {request.method} {request.path}")
    with state.options.clock.lock:
        return route.endpoint(organization, request)


def _within_quota(state: State, key: ApiKey, route: Route, request: Request) -> Response:
    limits = key.organization.rate_limits
    window = limits.window(route.limiter, route.name)
    errors = limits.window("call-error", route.name) if route.limiter == "call" else None
    # The quota follows the client: it waits in real time, or moves the emulator's clock instead.
    advanced = state.options.clock.advanced
    now = time.monotonic() + advanced
    # A refused request costs no quota, so check both windows before charging either.
    for limiter, asked in ((route.limiter, window), ("call-error", errors)):
        if asked is not None and asked.remaining(now) <= 0:
            return refusal(limiter, asked, state.options.throttle_headers, advanced)
    if window is not None:
        window.taken.append(now)
    response = _act(key, route, request)
    if errors is not None and 400 <= response.status < 500:
        errors.taken.append(now)
    if window is not None:
        response.headers.update(window.headers(now))
    return response


def _act(key: ApiKey, route: Route, request: Request) -> Response:
    organization = key.organization
    organization.catch_up()
    try:
        if route.schema is not None:
            _check_body(organization, route, request)
        return route.endpoint(organization, request)
    except ApiError as error:
        return error.response()


def _check_body(organization: Organization, route: Route, request: Request) -> None:
    if isinstance(request.body, Form) and route.from_form is not None:
        request.body = route.from_form(request.body)
    elif route.from_form is not None and not organization.options.knowledge_bases.accepts_json:
        raise ApiError(400, "body must be a form of the type multipart/form-data")
    if request.body is BAD_JSON or isinstance(request.body, Form):
        raise ApiError(400, "body is not valid JSON")
    if request.body is None and route.body_optional:
        request.body = {}
    schema = route.schema or {}
    if (
        organization.options.ignores_unknown_fields
        and isinstance(request.body, dict)
        and "properties" in schema
    ):
        request.body = {name: value for name, value in request.body.items() if name in schema["properties"]}
    problem = check(request.body, schema)
    if problem is not None:
        raise ApiError(400, problem)
