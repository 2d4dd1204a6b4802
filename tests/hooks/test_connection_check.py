"""The "Test" button of the connection form: every failure has its own message that says what to do."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.hooks.retell import RetellHook

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


def check(seconds: float = 5.0) -> tuple[bool, str]:
    hook = RetellHook()
    start = time.monotonic()
    works, text = hook.test_connection()
    assert time.monotonic() - start < seconds
    assert "\n" not in text
    assert "pr1vate" not in text
    assert "_session" not in hook.__dict__  # closed
    return works, text


def test_message_has_the_names_of_the_organization_and_of_the_api_key(
    emulator: Emulator, connect: Any
) -> None:
    emulator.add_key("key_named", name="Airflow")
    connect(emulator.url, password="key_named")
    works, text = check()
    assert works
    assert (
        text
        == f"Connected to the Retell organization {emulator.organization.name!r} with the API key 'Airflow'."
    )
    connect(emulator.url, password=emulator.api_key)
    assert check() == (True, f"Connected to the Retell organization {emulator.organization.name!r}.")


def test_message_has_the_organizations_id_if_it_has_no_name(serve: Any, reply: Any, connect: Any) -> None:
    connect(serve(reply(200, {"org_id": "org_1"})).url)
    assert check() == (True, "Connected to the Retell organization 'org_1'.")


def test_restricted_api_key_is_tested_with_the_concurrency(emulator: Emulator, connect: Any) -> None:
    emulator.add_key("key_restricted", {"history": "read"}, api_key_info=False)
    connect(emulator.url, password="key_restricted")
    works, text = check()
    assert works
    assert text == "Connected to Retell with a restricted API key (1 of 20 concurrent calls in use)."


def test_api_key_without_read_permissions_is_reported_as_restricted(emulator: Emulator, connect: Any) -> None:
    for route in ("get-api-key-info", "get-concurrency"):
        emulator.faults.add(Fault.status(403), route=route)
    works, text = check()
    assert not works
    assert text.startswith("Retell accepts this API key, but the key is restricted")


def test_wrong_api_key_is_reported(emulator: Emulator, connect: Any) -> None:
    connect(emulator.url, password="key_pr1vate")
    works, text = check()
    assert not works
    assert text.startswith("Retell does not accept this API key: copy it again")


def test_masked_api_key_is_not_sent(emulator: Emulator, connect: Any) -> None:
    connect(emulator.url, password="***")
    works, text = check()
    assert not works
    assert text.startswith("This connection: the API key is the mask '***'")
    assert emulator.requests == []


@pytest.mark.parametrize(
    "response",
    [
        (404, {"Content-Type": "text/html"}, b"<html>pr1vate</html>"),
        (404, {"Content-Type": "application/json"}, b'{"message": "no route"}'),
        *(
            (status, {"Content-Type": "text/html"}, b"<html>pr1vate</html>")
            for status in (200, 400, 401, 402, 403, 405, 407, 422)
        ),
        (403, {}, b""),
        (200, {"Content-Type": "application/json"}, b'{"hello": "pr1vate"}'),
        (300, {"Location": "https://pr1vate.example/login"}, b""),
        (302, {"Location": "https://pr1vate.example/login"}, b""),
    ],
    ids=lambda response: f"{response[0]} {response[1].get('Content-Type', '')}",
)
def test_another_server_is_recognized(serve: Any, connect: Any, response: Any) -> None:
    server = serve(response)
    connect(server.url)
    works, text = check()
    assert not works
    assert text.startswith(server.url)
    assert ("redirects to another URL" in text) == (response[0] in (300, 302))
    assert text.endswith("is not Retell's API: check the host and the proxy.")


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "answered 400"), (402, "payment method"), (429, "quota"), (500, "Retell failed")],
)
def test_other_errors_are_reported_without_retries(emulator: Emulator, status: int, message: str) -> None:
    emulator.faults.add(Fault.status(status), times=0)
    works, text = check()
    assert not works
    assert message in text
    assert emulator.count() == 1  # no retries while a user waits


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_gateway_or_another_server_that_fails_is_reported(
    emulator: Emulator, connect: Any, status: int
) -> None:
    emulator.faults.add(Fault.status(status, body="<html>pr1vate</html>"), times=0)
    works, text = check()
    assert not works
    assert f"the server answered {status} without JSON" in text
    assert "check the host in the Airflow connection, and the proxy" in text


def test_server_that_does_not_respond_is_reported(emulator: Emulator, connect: Any) -> None:
    connect(emulator.url, password=emulator.api_key, timeout=0.3)
    emulator.faults.add(Fault.hang(), times=0)
    works, text = check(seconds=2)
    assert not works
    assert "no answer within 0.3 s" in text
    assert "try again later, or raise timeout" in text


def test_timeouts_are_at_most_10_seconds(connect: Any, emulator: Emulator) -> None:
    connect(emulator.url, password=emulator.api_key, timeout=600, connect_timeout=120)
    hook = RetellHook()
    assert hook.test_connection()[0]
    assert (hook.settings.timeout, hook.settings.connect_timeout) == (10, 10)


def test_closed_port_is_reported_without_the_random_id_of_the_connection_under_test(connect: Any) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        connect(f"http://127.0.0.1:{bound.getsockname()[1]}")
        works, text = check()
    assert not works
    assert (
        "Nothing answers there: check the host in the Airflow connection, the firewall and the proxy" in text
    )
    assert "retell_default" not in text


def test_missing_certificates_are_reported_with_their_path(
    serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    connect(serve().url)
    works, text = check()
    assert not works
    assert "REQUESTS_CA_BUNDLE names certificates that do not exist: /nowhere/ca.pem" in text
