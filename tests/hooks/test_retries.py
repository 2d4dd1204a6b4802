"""Retries of both hooks, over sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import (
    RateLimitError,
    RetellConnectionError,
    RetellError,
    RetellResponseError,
    RetellStatusError,
    RetellTimeoutError,
)
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from collections.abc import Callable

FROM, TO = "+14155550100", "+14155550123"


@pytest.mark.parametrize("header", ["Retry-After", "RateLimit-Reset"])
def test_throttled_request_waits_as_long_as_the_server_asks(
    client: Any, emulator: Emulator, header: str
) -> None:
    emulator.faults.add(Fault.status(429, headers={header: "0.2"}), times=2)
    assert client.get_call("call_1").call_id == "call_1"
    first, second, third = (request.at for request in emulator.requests)
    assert 0.2 <= second - first < 1
    assert 0.2 <= third - second < 1


def test_nothing_is_sent_on_a_route_while_its_pause_is_too_long(client: Any, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="get-call")
    with pytest.raises(RateLimitError, match="Retell asks to wait 3600 s") as first:
        client.get_call("call_1")
    assert first.value.retry_after == 3600
    for _ in range(3):
        with pytest.raises(RateLimitError, match="not sent, because Retell asked to wait") as caught:
            client.get_call("call_1")
        assert 3590 < caught.value.retry_after <= 3600
    assert emulator.count("get-call") == 1
    assert client.update_call("call_1", metadata={"plan": "basic"}).call_id == "call_1"  # on another route


# Faults of a server or a network. tests/api/test_retry.py has all statuses and headers.
FAULTS = {
    "500": Fault.status(500),
    "503 with HTML": Fault.status(503, body="<html>down</html>"),
    "dropped": Fault.drop(),
    "dropped after processing": Fault.drop_after(),
    "truncated": Fault.truncate(),
}


@pytest.mark.parametrize("name", FAULTS)
def test_update_is_repeated_until_it_succeeds(
    client: Any, emulator: Emulator, sleeps: list[float], name: str
) -> None:
    emulator.faults.add(FAULTS[name], times=2)
    call = client.update_call("call_1", metadata={"plan": "basic"})
    assert call.metadata == {"plan": "basic"}
    assert emulator.calls["call_1"]["metadata"] == {"plan": "basic"}
    assert emulator.count("update-call") == 3
    assert len(sleeps) == 2
    assert 0.25 <= sleeps[0] <= 0.5 <= sleeps[1] <= 1


def test_broken_connection_is_replaced_by_this_package_not_by_the_http_library(
    client: Any, emulator: Emulator, sleeps: list[float]
) -> None:
    client.get_call("call_1")
    emulator.faults.add(Fault.drop())
    assert client.get_call("call_1").call_id == "call_1"
    assert emulator.count("get-call") == 3
    assert len(sleeps) == 1


# A POST and a PUT, which HTTP libraries like to repeat.
ONLY_ONCE = {"create_phone_call": (FROM, TO), "rerun_call_analysis": ("call_1",)}


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("method", ONLY_ONCE)
def test_request_that_must_not_run_twice_is_sent_once_if_it_may_have_been_processed(
    client: Any, emulator: Emulator, sleeps: list[float], method: str, name: str, kept: bool
) -> None:
    if kept:
        client.get_concurrency()
    emulator.clear_requests()
    emulator.faults.add(FAULTS[name], times=0)
    with pytest.raises(RetellError) as caught:
        getattr(client, method)(*ONLY_ONCE[method])
    assert not caught.value.not_processed
    assert emulator.count() == 1
    assert sleeps == []
    assert emulator.reruns <= 1
    assert len(emulator.placed) <= 1


@pytest.mark.parametrize("method", ONLY_ONCE)
@pytest.mark.parametrize("status", [429, 409])
def test_request_that_must_not_run_twice_is_repeated_if_retell_rejected_it(
    client: Any, emulator: Emulator, sleeps: list[float], method: str, status: int
) -> None:
    emulator.faults.add(Fault.status(status, headers={"Retry-After": "7"}), times=2)
    getattr(client, method)(*ONLY_ONCE[method])
    assert emulator.count() == 3
    assert 14 <= sum(sleeps) <= 14.3
    assert emulator.reruns + len(emulator.placed) == 1


@pytest.mark.parametrize("method", ONLY_ONCE)
def test_request_that_must_not_run_twice_is_repeated_if_the_connection_is_refused(
    make_client: Callable[..., Any], connect: Any, sleeps: list[float], method: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        connect(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(RetellConnectionError, match="Gave up after 3 attempts") as caught:
            getattr(make_client(retry=RetryLimits(attempts=3)), method)(*ONLY_ONCE[method])
    assert caught.value.kind == "refused"
    assert len(sleeps) == 2


@pytest.mark.parametrize(
    "fault", [Fault.drop_after(), Fault.truncate(), Fault.status(500)], ids=lambda f: f.kind
)
def test_call_with_an_idempotency_key_is_retried_and_placed_once(
    client: Any, emulator: Emulator, sleeps: list[float], fault: Fault
) -> None:
    emulator.faults.add(fault, times=2)
    call = client.create_phone_call(FROM, TO, idempotency_key="dag/run/task")
    assert emulator.count("create-phone-call") == 3
    assert [placed["call_id"] for placed in emulator.placed] == [call.call_id]


def test_html_with_status_200_is_not_requested_again(
    client: Any, emulator: Emulator, sleeps: list[float]
) -> None:
    emulator.faults.add(Fault.garbage("<html>private portal</html>"), times=0)
    with pytest.raises(RetellResponseError, match=r"the server answered 200 \(text/html") as caught:
        client.get_call("call_1")
    assert "private" not in str(caught.value)
    assert emulator.count() == 1


@pytest.mark.parametrize("method", [*ONLY_ONCE, "get_call", "delete_call", "get_api_key_info"])
def test_redirect_is_not_followed(
    client: Any, emulator: Emulator, serve: Any, sleeps: list[float], method: str
) -> None:
    elsewhere = serve()
    emulator.faults.add(Fault.redirect(f"{elsewhere.url}/v2/get-call/call_1"), times=0)
    arguments = {**ONLY_ONCE, "get_api_key_info": ()}.get(method, ("call_1",))
    with pytest.raises(RetellStatusError, match="Redirects are never followed") as caught:
        getattr(client, method)(*arguments)
    assert caught.value.status == 302
    assert elsewhere.seen == []
    assert emulator.count() == 1


def test_server_that_does_not_respond_is_a_timeout(
    make_client: Callable[..., Any], retell_emulator: Emulator, connect: Any
) -> None:
    connect(retell_emulator.url, password=retell_emulator.api_key, timeout=0.3)
    client = make_client(retry=RetryLimits(attempts=1))
    retell_emulator.faults.add(Fault.hang(), times=0)
    start = time.monotonic()
    with pytest.raises(RetellTimeoutError, match=r"no answer within 0\.3 s") as caught:
        client.get_call("call_1")
    assert 0.3 <= time.monotonic() - start < 20
    assert caught.value.kind == "timeout"
    assert "in the extra fields of the Airflow connection 'retell_default'" in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        (
            Fault.status(401),
            "Check the API key in the Airflow connection 'retell_eu' (Retell dashboard, API Keys)",
        ),
        (Fault.redirect("http://127.0.0.1:9/"), "check the host in the Airflow connection 'retell_eu'"),
    ],
)
def test_an_error_names_the_connection_to_check(
    make_client: Callable[..., Any],
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    step: str,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_EU", os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])
    emulator.faults.add(fault, times=0)
    with pytest.raises(RetellStatusError) as caught:
        make_client(retell_conn_id="retell_eu").get_call("call_1")
    assert step in str(caught.value)


def test_body_that_stops_halfway_is_a_timeout(
    make_client: Callable[..., Any], serve: Any, connect: Any
) -> None:
    server = serve((200, {"Content-Type": "application/json", "Content-Length": "1000"}, b'{"call_id":'))
    connect(server.url, timeout=0.3)
    with pytest.raises(RetellTimeoutError):
        make_client(retry=RetryLimits(attempts=1)).get_call("call_1")


def test_update_is_repeated_after_a_timeout(client: Any, retell_emulator: Emulator, connect: Any) -> None:
    connect(retell_emulator.url, password=retell_emulator.api_key, timeout=0.3)
    retell_emulator.add_call(call_id="call_1")
    retell_emulator.faults.add(Fault.hang())
    assert client.update_call("call_1", metadata={"a": 1}).metadata == {"a": 1}
    assert retell_emulator.count() == 2


@pytest.mark.parametrize("status", [401, 400, 500, 302])
@pytest.mark.usefixtures("whole_log")
def test_api_key_and_private_values_in_a_response_are_masked(
    client: Any,
    emulator: Emulator,
    sleeps: list[float],
    status: int,
    caplog: pytest.LogCaptureFixture,
    connect: Any,
) -> None:
    key = "sk-without-prefix"
    emulator.add_key(key)
    connect(emulator.url, password=key)
    message = (
        f"{key}: bad note 'pr1vate note' for +1 415 555 0123, see https://files.example/pr1vate?x=1 "
        "and token eyJhbGciOi.pr1vate.sig"
    )
    emulator.faults.add(Fault.status(status, body={"status": "error", "message": message}), times=0)
    with pytest.raises(RetellStatusError) as caught:
        client.update_call("call_1", metadata={"note": "pr1vate note"})
    expected = "***: bad *** '***' for ***, see *** and token ***"
    assert caught.value.detail == expected
    assert expected in str(caught.value)
    for text in (str(caught.value), repr(caught.value), caplog.text):
        assert key not in text
        assert "pr1vate" not in text


# -- quota --------------------------------------------------------------------------------------------------------


def test_sixty_concurrent_requests_get_no_429(connect: Any) -> None:
    with Emulator(quotas={"general": (20, 0.25)}) as emulator:
        connect(emulator.url, password=emulator.api_key, quota="20/0.25")
        emulator.add_calls(f"call_{n}" for n in range(60))

        async def update_all() -> None:
            async with RetellAsyncHook() as hook:
                await asyncio.gather(*(hook.update_call(f"call_{n}", metadata={"n": n}) for n in range(60)))

        start = time.monotonic()
        asyncio.run(update_all())
        assert time.monotonic() - start >= 0.5
        assert emulator.count("update-call", status=200) == 60
        assert emulator.count() == 60
        assert all(emulator.calls[f"call_{n}"]["metadata"] == {"n": n} for n in range(60))


def test_blocking_hook_keeps_the_quota(connect: Any) -> None:
    with Emulator(quotas={"general": (5, 0.3)}) as emulator:
        connect(emulator.url, password=emulator.api_key, quota="5/0.3")
        with RetellHook() as hook:
            for _ in range(12):
                hook.get_concurrency()
        assert emulator.count(status=200) == emulator.count() == 12


def test_429_pauses_all_requests_of_its_route(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "0.4"}), route="get-call")

    async def go() -> None:
        async with RetellAsyncHook() as hook:
            first = asyncio.ensure_future(hook.get_call("call_1"))
            while "HTTP 429" not in caplog.text:  # noqa: ASYNC110 - another task writes it
                await asyncio.sleep(0.01)
            await asyncio.gather(first, hook.get_concurrency(), *(hook.get_call("call_2") for _ in range(5)))

    asyncio.run(go())
    throttled, *others = (request.at for request in emulator.requests if request.route == "get-call")
    assert len(others) == 6
    assert min(others) - throttled >= 0.4
    (other_route,) = (request.at for request in emulator.requests if request.route == "get-concurrency")
    assert other_route < min(others)
