"""The sliding window, with a simulated clock and a network of varying speed."""

from __future__ import annotations

import bisect
import heapq
import itertools
import pickle
import random
from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellConfigError
from airflow_provider_retell.api.quota import GENERAL, Quotas, Rate, Usage, Window


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/10", Rate(100, 10)),
        (" 100 / 10 s ", Rate(100, 10)),
        ("5/0.5", Rate(5, 0.5)),
        ("1/1s", Rate(1, 1)),
    ],
)
def test_rate_is_parsed_and_printed_in_the_same_form(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize(
    "text", ["", "100", "100/", "/10", "0/10", "10/0", "10/0.0", "-1/10", "1.5/10", "a/b", "1/1e5"]
)
def test_malformed_rate_is_rejected(text: str) -> None:
    with pytest.raises(RetellConfigError, match="must have the form '100/10'"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("operation", "rate"),
    [
        ("update-call", Rate(7, 1)),
        ("get-call", Rate(7, 1)),
        ("list-calls", Rate(30, 10)),
        ("create-phone-call", Rate(1000, 10)),
        ("create-batch-call", Rate(1000, 10)),
    ],
)
def test_every_operation_has_its_own_window_and_rate(operation: str, rate: Rate) -> None:
    quotas = Quotas(Rate(7, 1))
    assert quotas.window(operation).rate == rate
    assert quotas.window(operation) is quotas.window(operation)
    assert quotas.window(operation) is not quotas.window("stop-call")
    assert Quotas().window("stop-call").rate == GENERAL


def simulate(
    rate: Rate, workers: int, requests: int, network: Any, window: Window | None = None, headers: Any = None
) -> list[float]:
    """Let *workers* send *requests*; return the times at which the server counted them.

    ``network(n)`` returns the seconds to the server and back. ``headers(now, counted)`` returns response headers.
    """
    window = window or Window(rate)
    counted: list[float] = []
    order = itertools.count()
    events: list[tuple[float, int, str, Any]] = [(0.0, next(order), "send", None) for _ in range(workers)]
    started = 0
    while events:
        now, _, kind, about = heapq.heappop(events)
        if kind == "count":
            counted.append(now)
            sent, back = about
            response = sent, headers(now, counted) if headers else None
            heapq.heappush(events, (now + back, next(order), "response", response))
            continue
        if kind == "response":
            sent, received = about
            window.release(now, received, sent)
        if started < requests:
            wait = window.reserve(now)
            if wait > 0:
                heapq.heappush(events, (now + wait, next(order), "send", None))
                continue
            there, back = network(started)
            started += 1
            heapq.heappush(events, (now + there, next(order), "count", (now, back)))
    return sorted(counted)


def test_full_quota_is_used() -> None:
    counted = simulate(Rate(20, 1), 40, 200, lambda _: (0.001, 0.001))
    assert counted[19] < 0.1  # the first window has 20 free slots
    assert 9 <= counted[-1] <= 9.3  # 200 requests at 20 per second; the first 20 take no time


def test_requests_without_headers_do_not_fill_the_memory() -> None:
    window = Window(Rate(10, 1))

    def send(seconds: range) -> int:
        for second in seconds:
            for _ in range(10):
                assert window.reserve(float(second)) == 0
                window.release(second + 0.5, {})
        return len(pickle.dumps(window))

    assert send(range(10, 1000, 2)) == send(range(1000, 10_000, 2))


@pytest.mark.parametrize("seed", range(4))
def test_headers_do_not_slow_down_a_client_that_is_alone(seed: int) -> None:
    source = random.Random(seed)

    def headers(now: float, counted: list[float]) -> dict[str, str]:
        return {"RateLimit-Remaining": str(100 - len(counted) + bisect.bisect(counted, now - 1))}

    def network(_: int) -> tuple[float, float]:
        return source.uniform(0.001, 0.02), source.uniform(0.001, 0.02)

    assert simulate(Rate(100, 1), 32, 1000, network, headers=headers)[-1] <= 9.7  # the ideal is 9 s


def test_full_window_returns_the_seconds_until_a_slot_is_free() -> None:
    window = Window(Rate(2, 10))
    assert window.reserve(0) == 0
    assert window.reserve(0) == 0
    assert 0 < window.reserve(0) <= 0.05  # both are in flight: try again soon
    window.release(1)
    window.release(2)
    assert window.reserve(3) == 8
    assert window.reserve(11) == 0
    assert window.reserve(11) == 1


def test_pause_blocks_free_slots_and_is_never_shortened() -> None:
    window = Window(Rate(2, 10))
    window.pause(5)
    window.pause(3)
    assert window.pause_left(1) == 4
    assert window.pause_left(5) == window.pause_left(6) == 0
    assert window.reserve(0) == 5
    assert window.reserve(4) == 1
    assert [window.reserve(5), window.reserve(5)] == [0, 0]
    assert window.reserve(5) > 0  # the end of a pause frees no slot


def test_wait_for_a_slot_is_at_least_a_millisecond() -> None:
    window = Window(Rate(1, 10))
    window.reserve(0)
    window.release(0)
    assert window.reserve(9.5) == 0.5
    assert window.reserve(9.9995) == 0.001
    assert window.reserve(10) == 0


@pytest.mark.parametrize(("others", "left"), [(2, 0), (3, 0), (4, 4), (50, 50), (51, 50)])
def test_few_slots_of_others_are_ignored(others: int, left: int) -> None:
    window = Window(Rate(100, 10))
    window.reserve(0)
    window.release(0, {"RateLimit-Remaining": str(99 - others)})
    assert [window.reserve(0) for _ in range(99 - left)] == [0] * (99 - left)
    assert window.reserve(0) > 0


def test_request_that_has_just_left_the_window_is_not_an_own_one() -> None:
    window = Window(Rate(10, 10))
    window.reserve(0)
    window.release(0)
    window.reserve(10)
    window.release(10.5, {"RateLimit-Remaining": "8"}, sent=10)
    # One slot for the second request, and one for another client.
    assert [window.reserve(10.5) for _ in range(8)] == [0] * 8
    assert window.reserve(10.5) > 0


def test_slots_that_other_clients_used_in_the_last_window_stay_free() -> None:
    # The server has 5 slots of 10 left, although this client sent one request: other clients used 4.
    window = Window(Rate(10, 10))
    window.reserve(0)
    window.release(0, {"RateLimit-Remaining": "5"})
    assert [window.reserve(0) for _ in range(5)] == [0] * 5
    assert window.reserve(0) == 10
    assert [window.reserve(10) for _ in range(5)] == [0] * 5  # five are still in flight


def test_largest_use_by_others_in_the_last_window_counts() -> None:
    window = Window(Rate(10, 10))
    for now, remaining in ((0, "5"), (1, "7"), (2, "6")):
        window.reserve(now)
        window.release(now, {"RateLimit-Remaining": remaining})
    assert [window.reserve(2) for _ in range(3)] == [0] * 3
    assert window.reserve(2) == 8


def test_at_most_half_of_the_slots_are_left_to_others() -> None:
    window = Window(Rate(10, 10))
    window.reserve(0)
    window.release(0, {"RateLimit-Remaining": "0"})
    assert [window.reserve(0) for _ in range(4)] == [0] * 4
    assert window.reserve(0) > 0


def test_own_requests_in_flight_are_not_mistaken_for_those_of_others() -> None:
    window = Window(Rate(10, 10))
    for _ in range(6):
        window.reserve(0)
    # The server has counted two of the six; four have not arrived yet.
    window.release(1, {"RateLimit-Remaining": "8"})
    assert [window.reserve(1) for _ in range(4)] == [0] * 4


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"RateLimit-Remaining": "many"},
        {"RateLimit-Remaining": "-3"},
        {"RateLimit-Remaining": "²"},
        {"RateLimit-Remaining": "\u0660"},
        # Python does not parse an integer of more than 4,300 digits.
        {"RateLimit-Remaining": "9" * 5000},
        {"RateLimit-Remaining": "500"},
    ],
)
def test_missing_and_malformed_headers_are_ignored(headers: dict[str, str]) -> None:
    window = Window(Rate(3, 10))
    window.reserve(0)
    window.release(0, headers)
    assert [window.reserve(0), window.reserve(0)] == [0, 0]
    assert window.reserve(0) == 10


@pytest.mark.parametrize("knows", [True, False])
def test_client_that_reads_the_headers_is_refused_less_often_by_a_shared_quota(knows: bool) -> None:
    """Another client uses half of the quota, evenly."""
    others = [n * 0.05 for n in range(1000)]  # 20 of the 40 per second
    window, counted, refused, now = Window(Rate(40, 1)), [], 0, 0.0
    while len(counted) < 200:
        while (wait := window.reserve(now)) > 0:
            now += wait
        sent, now = now, now + 0.01
        taken = sum(now - 1 < t <= now for t in (*counted, *others))
        is_refused = taken >= 40
        refused += is_refused
        if not is_refused:
            counted.append(now)
        headers = {"RateLimit-Remaining": str(max(40 - taken - 1, 0))} if knows else {}
        window.release(now + 0.01, headers, sent, refused=is_refused)
        if is_refused:
            window.pause(now + 0.1)
    assert now <= 10 * 1.3  # the ideal for 200 requests is 10 s
    assert refused <= 10 if knows else refused >= 30


def test_refused_request_does_not_count_as_an_own_request() -> None:
    window = Window(Rate(10, 10))
    for refused in (False, True):
        window.reserve(0)
        window.release(0, {"RateLimit-Remaining": "0"} if refused else {}, refused=refused)
    # One slot for the own request, one for the refused one, and half of the ten for other clients.
    assert [window.reserve(0) for _ in range(3)] == [0] * 3
    assert window.reserve(0) > 0


def test_usage_counts_each_second_of_delay_once() -> None:
    usage = Usage()
    assert (usage.requests, usage.waited) == (0, 0)
    usage.delay(10, 2)
    assert usage.waited == 2
    usage.delay(11, 0.5)  # within the first delay
    assert usage.waited == 2
    usage.delay(11, 3)  # two seconds longer than the first
    assert usage.waited == 4
    usage.delay(11.5, 1)  # within the second
    assert usage.waited == 4
    usage.delay(20, 1)  # after a gap
    assert usage.waited == 5


def test_delay_before_the_first_second_of_the_clock_is_counted() -> None:
    usage = Usage()
    usage.delay(0.25, 0.5)
    assert usage.waited == 0.5


def test_usage_since_the_last_count() -> None:
    usage = Usage()
    assert usage.since_last_count() == (0, 0)
    usage.requests += 3
    usage.delay(0, 1.5)
    assert usage.since_last_count() == (3, 1.5)
    assert usage.since_last_count() == (0, 0)
    usage.requests += 1
    usage.delay(5, 1)
    assert usage.since_last_count() == (1, 1)


def test_windows_of_one_organization_share_their_usage() -> None:
    quotas = Quotas(Rate(1, 10), Rate(1, 10))
    for operation in ("get-call", "list-calls"):
        window = quotas.window(operation)
        assert window.reserve(0) == 0
        window.release(0)
        assert window.reserve(2) == 8
    assert quotas.usage.requests == 2  # a delayed request is not sent
    assert quotas.usage.waited == 8
