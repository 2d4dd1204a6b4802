"""Paths, ids in paths, and queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_retell.emulator.responses import Response
from airflow_provider_retell.emulator.routing import Request, Route, Router

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator, Organization
    from tests.emulator.conftest import Send


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/list-calls"),
        ("POST", "/v3/list-calls/"),
        ("GET", "/"),
        ("GET", "/v2/get-call/"),
        ("GET", "/v2/get-call"),
        ("GET", "/x/v2/get-call/call_1"),
        ("POST", "/v2/get-call/call_1"),
        ("OPTIONS", "/v2/get-call/call_1"),
        ("PATCH", "/v2/update-call/a/b"),
    ],
)
def test_an_unknown_route_gets_a_404_that_is_not_json(
    emulator: Emulator, method: str, path: str, send: Send
) -> None:
    reply = send(emulator, method, path)
    assert (reply.status, reply.body.decode()) == (404, f"Cannot {method} {path}")
    assert reply.headers["content-type"].startswith("text/html")


def test_ids_are_percent_decoded(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="a/b ü")
    assert send(emulator, "GET", "/v2/get-call/a%2Fb%20%C3%BC").json["call_id"] == "a/b ü"


@pytest.mark.parametrize("call_id", ["%00", "%FF%FE", "..", "x" * 5000, "%2e%2e%2f", "?x=1"])
def test_a_strange_id_is_an_unknown_call_or_route(emulator: Emulator, call_id: str, send: Send) -> None:
    assert send(emulator, "GET", f"/v2/get-call/{call_id}").status in (404, 422)


def test_an_unexpected_query_is_ignored(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    assert send(emulator, "GET", "/v2/get-call/call_1?x=1").json["call_id"] == "call_1"


def test_a_path_may_have_several_ids() -> None:
    def endpoint(_: Organization, __: Request) -> Response:
        return Response(204)

    routes = (
        Route("get-version", "GET", "/agent/{agent_id}/version/{version}", endpoint),
        Route("get-agent", "GET", "/agent/{agent_id}", endpoint),
        Route("list-agents", "GET", "/agent", endpoint),
    )
    router = Router(routes)
    assert router.match("GET", "/agent/a%2F1/version/2?x=1") == (
        routes[0],
        {"agent_id": "a/1", "version": "2"},
    )
    assert router.match("GET", "/agent/a") == (routes[1], {"agent_id": "a"})
    assert router.match("GET", "/agent") == (routes[2], {})
    for path in ("/agent/", "/agent/a/", "/agent/a/version", "/agent/a/version/", "/agent/a/of/2", "agent/a"):
        assert router.match("GET", path) == (None, {}), path
    assert router.match("POST", "/agent") == (None, {})
    assert router.names == {"get-version", "get-agent", "list-agents"}
    assert router.id_names == {"agent_id", "version"}


def test_a_request_knows_its_path_and_query() -> None:
    request = Request("GET", "/agent/a?version=2&tag=", None, None, None)
    assert (request.path, request.query) == ("/agent/a", {"version": "2", "tag": ""})
    assert (request.route_name, request.organization_name) == (None, None)
