"""The connection's "Test" button: each way that it can fail has a sentence of its own that says what to do."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.hooks.retell import RetellHook

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def test_it_names_the_organization_and_the_key(emulator: Emulator, connect: Any) -> None:
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


def test_without_a_name_it_gives_the_organizations_id(serve: Any, reply: Any, connect: Any) -> None:
    connect(serve(reply(200, {"org_id": "org_1"})).url)
    assert check() == (True, "Connected to the Retell organization 'org_1'.")


def test_a_restricted_key_is_tested_by_the_concurrency(emulator: Emulator, connect: Any) -> None:
    emulator.add_key("key_restricted", {"history": "read"}, api_key_info=False)
    connect(emulator.url, password="key_restricted")
    works, text = check()
    assert works
    assert text == "Connected to Retell with a restricted API key (1 of 20 concurrent calls in use)."


def test_a_key_that_may_read_neither_is_told_apart(emulator: Emulator, connect: Any) -> None:
    for route in ("get-api-key-info", "get-concurrency"):
        emulator.faults.add(Fault.status(403), route=route)
    works, text = check()
    assert not works
    assert text.startswith("Retell knows this API key, but the key is restricted")


def test_a_wrong_key(emulator: Emulator, connect: Any) -> None:
    connect(emulator.url, password="key_pr1vate")
    works, text = check()
    assert not works
    assert text.startswith("Retell does not accept this API key: copy it again")


def test_a_masked_key_is_not_sent(emulator: Emulator, connect: Any) -> None:
    connect(emulator.url, password="***")
    works, text = check()
    assert not works
    assert text.startswith("This connection: the API key is the mask '***'")
    assert emulator.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"Content-Type": "text/html"}, b"<html>pr1vate</html>"),
        (404, {"Content-Type": "application/json"}, b'{"message": "no route"}'),
        (200, {"Content-Type": "text/html"}, b"<html>pr1vate</html>"),
        (200, {"Content-Type": "application/json"}, b'{"hello": "pr1vate"}'),
        (302, {"Location": "https://pr1vate.example/login"}, b""),
    ],
    ids=["404 page", "404 json", "200 page", "200 json", "redirect"],
)
def test_another_server(serve: Any, connect: Any, answer: Any) -> None:
    server = serve(answer)
    connect(server.url)
    works, text = check()
    assert not works
    assert text.startswith(server.url)
    assert text.endswith("is not Retell's API: check the host.")


@pytest.mark.parametrize(
    ("status", "says"), [(402, "payment method"), (429, "quota"), (500, "Retell failed")]
)
def test_other_refusals_are_told_at_once(emulator: Emulator, status: int, says: str) -> None:
    emulator.faults.add(Fault.status(status), times=0)
    works, text = check()
    assert not works
    assert says in text
    assert emulator.count() == 1  # no retries while somebody waits


def test_a_server_that_hangs(emulator: Emulator, connect: Any) -> None:
    connect(emulator.url, password=emulator.api_key, timeout=0.3)
    emulator.faults.add(Fault.hang(), times=0)
    works, text = check(seconds=2)
    assert not works
    assert "no answer within 0.3 s" in text
    assert "try again later, or raise timeout" in text


def test_a_long_time_out_is_cut_for_the_test(connect: Any, emulator: Emulator) -> None:
    connect(emulator.url, password=emulator.api_key, timeout=600, connect_timeout=120)
    hook = RetellHook()
    assert hook.test_connection()[0]
    assert (hook.settings.timeout, hook.settings.connect_timeout) == (10, 10)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_nothing_listens(closed_port: int, connect: Any) -> None:
    connect(f"http://127.0.0.1:{closed_port}")
    works, text = check()
    assert not works
    assert (
        "Nothing answers there: check the host in the Airflow connection, the firewall and the proxy" in text
    )


def test_a_name_that_does_not_exist(connect: Any) -> None:
    connect("https://retell.invalid")
    hook = RetellHook()
    works, text = hook.test_connection()
    assert not works
    assert "The host name does not resolve" in text


def test_a_plain_server_at_a_tls_address(serve: Any, connect: Any) -> None:
    connect(serve().url.replace("http://", "https://"))
    works, text = check()
    assert not works
    assert "The TLS certificate was not accepted" in text


def test_a_certificate_that_nobody_signed(serve: Any, tls: Any, connect: Any) -> None:
    server = serve(tls=tls)
    connect(server.url)
    works, text = check()
    assert not works
    assert "The TLS certificate was not accepted: check the host" in text
    assert "REQUESTS_CA_BUNDLE" in text
    assert server.seen == []


def test_certificates_that_are_missing(serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    connect(serve().url)
    works, text = check()
    assert not works
    assert "REQUESTS_CA_BUNDLE names certificates that do not exist: /nowhere/ca.pem" in text
