"""The checks before an endpoint acts: key and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import retell

from airflow_provider_retell.emulator.dispatch import dispatch
from airflow_provider_retell.emulator.responses import Response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator, Organization
    from tests.emulator.conftest import Connect, Send


def test_a_request_without_an_authorization_header_gets_401(emulator: Emulator, send: Send) -> None:
    reply = send(emulator, "GET", "/get-api-key-info", key=None)
    assert (reply.status, reply.json) == (401, {"error_message": "Authorization header required"})


def test_a_request_with_an_unknown_key_gets_401(emulator: Emulator, connect: Connect) -> None:
    with pytest.raises(retell.AuthenticationError) as caught:
        connect(emulator, "wrong").call.retrieve("call_1")
    assert caught.value.response.json() == {"status": "error", "message": "Invalid API Key."}


def test_basic_authentication_gets_401(emulator: Emulator, send: Send) -> None:
    basic = {"Authorization": f"Basic {emulator.api_key}"}
    assert send(emulator, "GET", "/get-concurrency", key=None, headers=basic).status == 401


def test_an_unpaired_surrogate_in_the_body_survives(emulator: Emulator, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    body = b'{"metadata": {"k": "\\ud83d"}}'
    assert b"\\ud83d" in send(emulator, "PATCH", "/v2/update-call/call_1", body).body


@pytest.mark.parametrize(
    ("path", "limiter", "status"), [("/list-voices", "general", 204), ("/create-voice", "list", 400)]
)
def test_the_name_of_an_endpoint_and_not_its_quota_makes_the_body_optional(
    emulator: Emulator, path: str, limiter: str, status: int
) -> None:
    routes = Routes()

    @routes.add("POST", path, schema={"type": "object"}, limiter=limiter)
    def endpoint(_: Organization, __: Request) -> Response:
        return Response(204)

    request = Request("POST", path, f"Bearer {emulator.api_key}", None, routes[0])
    assert dispatch(emulator._state, request).status == status
