"""Ways to break an emulator that runs: functions that take it and change its responses."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request

Break = Callable[[Emulator], object]


def replace(route: str, wrap: Callable[[Any], Any]) -> Break:
    """Return a break that replaces the endpoint of *route* with ``wrap(endpoint)``."""

    def apply(emulator: Emulator) -> None:
        for routes in emulator._state.router._by_prefix.values():
            for position, (found, parts) in enumerate(routes):
                if found.name == route:
                    routes[position] = (dataclasses.replace(found, endpoint=wrap(found.endpoint)), parts)

    return apply


def change(route: str, edit: Callable[[Response, Request], Response | None]) -> Break:
    """Return a break that changes the responses of *route*, errors included."""

    def wrap(endpoint: Any) -> Any:
        def changed(organization: Any, request: Request) -> Response:
            try:
                response = endpoint(organization, request)
            except ApiError as error:
                response = error.response()
            return edit(response, request) or response

        return changed

    return replace(route, wrap)


def change_json(route: str, edit: Callable[[Any, Any], Any]) -> Break:
    """Return a break that changes the JSON of the successes of *route*: ``edit(body, body of the request)``."""

    def apply(response: Response, request: Request) -> Response | None:
        if response.status >= 300:
            return None
        body = json.loads(response.body)
        new = edit(body, request.body)
        return json_response(response.status, body if new is None else new)

    return change(route, apply)


def change_status(route: str, status: int, *, when: range = range(200, 600)) -> Break:
    """Return a break that changes the status of the responses of *route*."""
    return change(
        route, lambda response, _: Response(status, response.body) if response.status in when else None
    )


def change_items(edit: Callable[[list[Any], Any], Any], route: str = "list-calls") -> Break:
    """Return a break that changes the calls in lists: ``edit(items, body of the request)``."""
    return change_json(route, lambda body, asked: edit(body["items"], asked) and None)


def fault(fault: Fault, route: str | None = None) -> Break:
    return lambda emulator: emulator.faults.add(fault, route=route, times=0)


def option(**options: Any) -> Break:
    """Return a break that sets options; two underscores lead to those of a resource."""

    def apply(emulator: Emulator) -> None:
        for name, value in options.items():
            group, _, inner = name.partition("__")
            owner = getattr(emulator.options, group) if inner else emulator.options
            setattr(owner, inner or group, value)

    return apply


def remember_first(route: str) -> Break:
    """Return a break that repeats the first response of *route*."""
    first: list[Response] = []

    def repeat(response: Response, _: Request) -> Response:
        first.append(response)
        return Response(first[0].status, first[0].body)

    return change(route, repeat)


def without_filter(name: str, route: str = "list-calls") -> Break:
    """Return a break that ignores a condition of lists."""
    return _with_body(route, lambda body: body.get("filter_criteria", {}).pop(name, None))


def without_field(route: str, name: str) -> Break:
    """Return a break that ignores a field of the body."""
    return _with_body(route, lambda body: body.pop(name, None))


def _with_body(route: str, edit: Callable[[Any], Any]) -> Break:
    """Return a break that changes the body of requests before *route* gets them."""

    def wrap(endpoint: Any) -> Any:
        def edited(organization: Any, request: Request) -> Response:
            edit(request.body)
            return endpoint(organization, request)

        return edited

    return replace(route, wrap)


def no_effect(route: str, status: int) -> Break:
    """Return a break that answers without acting."""
    return replace(route, lambda _: lambda *_: Response(status))


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    return str(value) if isinstance(value, float) else value
