"""Request quotas and the refusals of throttled requests."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import retell

from airflow_provider_retell.emulator import DEFAULT_QUOTAS, Emulator

if TYPE_CHECKING:
    from tests.emulator.conftest import Connect, Make, Send


def test_the_defaults_are_the_documented_quotas() -> None:
    assert DEFAULT_QUOTAS["general"] == (100, 10.0)
    assert DEFAULT_QUOTAS["list"] == (30, 10.0)
    assert DEFAULT_QUOTAS["call"] == (1000, 10.0)


def test_each_route_and_organization_has_its_own_budget(make: Make, send: Send) -> None:
    emulator = make(quotas={"general": (3, 60)})
    other = emulator.add_organization("other", quotas={"general": (1, 60)})
    emulator.add_call(call_id="call_1")
    get = [send(emulator, "GET", "/v2/get-call/call_1") for _ in range(4)]
    assert [reply.status for reply in get] == [200, 200, 200, 429]
    assert [reply.headers["ratelimit-remaining"] for reply in get] == ["2", "1", "0", "0"]
    assert {reply.headers["ratelimit-limit"] for reply in get} == {"3"}
    assert all(59 <= int(reply.headers["ratelimit-reset"]) <= 60 for reply in get)
    assert send(emulator, "PATCH", "/v2/update-call/call_1", {}).status == 200
    assert send(emulator, "GET", "/get-concurrency", key=other.api_key).status == 200
    assert send(emulator, "GET", "/get-concurrency", key=other.api_key).status == 429


@pytest.mark.usefixtures("v3_sdk")
def test_the_refusal_is_the_documented_one(make: Make, connect: Connect) -> None:
    emulator = make(quotas={"list": (0, 7)})
    with pytest.raises(retell.RateLimitError) as caught:
        connect(emulator).call.list()
    headers = caught.value.response.headers
    assert headers["x-ratelimit-limiter"] == "list"
    assert headers["retry-after"] == "7"
    assert caught.value.response.json() == {
        "status": "error",
        "message": "Too many API requests, you are being throttled, please try again later.",
    }


def test_the_window_slides_and_refusals_cost_nothing(make: Make, send: Send) -> None:
    seconds = 0.4
    emulator = make(quotas={"general": (4, seconds)})
    emulator.add_call(call_id="call_1")
    granted = []
    ends = time.monotonic() + 4 * seconds
    while time.monotonic() < ends:
        before = time.monotonic()
        if send(emulator, "GET", "/v2/get-call/call_1").status == 200:
            granted.append((before, time.monotonic()))
    # No window has more than four requests, even though others were refused in the meantime ...
    for first, fifth in zip(granted, granted[4:], strict=False):
        assert fifth[1] - first[0] >= seconds
    # ... and refusals did not delay the next request.
    assert len(granted) >= 12


def test_waiting_for_the_retry_after_time_is_enough(make: Make, send: Send) -> None:
    emulator = make(quotas={"get-call": (1, 0.9)})
    emulator.add_call(call_id="call_1")
    send(emulator, "GET", "/v2/get-call/call_1")
    reply = send(emulator, "GET", "/v2/get-call/call_1")
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    emulator.clock.advance(int(reply.headers["retry-after"]))
    assert send(emulator, "GET", "/v2/get-call/call_1").status == 200


def test_errors_of_call_creation_have_a_limit_of_their_own(make: Make, send: Send) -> None:
    emulator = make(quotas={"call-error": (2, 60)})
    body = {"from_number": "+14155550100", "to_number": "+14155550123"}
    for _ in range(2):
        assert send(emulator, "POST", "/v2/create-phone-call", {}).status == 400
    reply = send(emulator, "POST", "/v2/create-phone-call", body)
    assert (reply.status, reply.headers["x-ratelimit-limiter"]) == (429, "call-error")
    assert emulator.placed == []


def test_none_removes_a_limit_or_all_limits(make: Make, send: Send) -> None:
    emulator = make(quotas={"list": None})
    assert all("ratelimit-limit" not in send(emulator, "POST", "/v3/list-calls").headers for _ in range(20))
    assert send(emulator, "GET", "/get-concurrency").headers["ratelimit-limit"] == "100"
    unlimited = make(quotas=None)
    assert "ratelimit-limit" not in send(unlimited, "GET", "/get-concurrency").headers


def test_parallel_clients_get_exactly_the_quota(make: Make, send: Send) -> None:
    emulator = make(quotas={"general": (25, 60)})
    emulator.add_call(call_id="call_1")
    with ThreadPoolExecutor(8) as pool:
        replies = pool.map(lambda _: send(emulator, "GET", "/v2/get-call/call_1").status, range(60))
    statuses = list(replies)
    assert (statuses.count(200), statuses.count(429)) == (25, 35)
    assert emulator.count("get-call", status=429) == 35


def test_requests_without_a_valid_key_use_no_quota(make: Make, send: Send) -> None:
    emulator = make(quotas={"general": (1, 60)})
    for _ in range(3):
        assert send(emulator, "GET", "/get-concurrency", key="wrong").status == 401
    assert send(emulator, "GET", "/get-concurrency").status == 200


@pytest.mark.parametrize("quotas", [{"generel": (1, 1)}, {"general": (-1, 1)}, {"general": (1, 0)}], ids=str)
def test_an_invalid_quota_is_refused(quotas: Any) -> None:
    with pytest.raises(ValueError, match="quota"):
        Emulator(quotas=quotas)


@pytest.mark.parametrize(
    ("style", "present"),
    [
        ("http-date", {"retry-after", "x-ratelimit-limiter", "ratelimit-limit", "ratelimit-reset"}),
        ("ratelimit-reset", {"x-ratelimit-limiter", "ratelimit-limit", "ratelimit-reset"}),
        ("none", set()),
    ],
)
def test_throttle_headers_chooses_the_headers_of_a_refusal(
    make: Make, send: Send, style: str, present: set[str]
) -> None:
    emulator = make(quotas={"general": (0, 30)}, throttle_headers=style)
    reply = send(emulator, "GET", "/get-concurrency")
    every = {"retry-after", "x-ratelimit-limiter", "ratelimit-limit", "ratelimit-reset"}
    assert (reply.status, every & reply.headers.keys()) == (429, present)
