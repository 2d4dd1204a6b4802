"""The sliding window, on a simulated clock and an unreliable network."""

from __future__ import annotations

import bisect
import heapq
import itertools
import random
from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellConfigError
from airflow_provider_retell.api.quota import GENERAL, Quotas, Rate, Window


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/10", Rate(100, 10)),
        (" 100 / 10 s ", Rate(100, 10)),
        ("5/0.5", Rate(5, 0.5)),
        ("1/1s", Rate(1, 1)),
    ],
)
def test_a_rate_reads_as_it_prints(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize(
    "text", ["", "100", "100/", "/10", "0/10", "10/0", "10/0.0", "-1/10", "1.5/10", "a/b", "1/1e5"]
)
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(RetellConfigError, match="must read like '100/10'"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("operation", "rate"),
    [
        ("update-call", Rate(7, 1)),
        ("get-call", Rate(7, 1)),
        ("list-calls", Rate(15, 10)),
        ("create-phone-call", Rate(1000, 10)),
        ("create-batch-call", Rate(1000, 10)),
    ],
)
def test_every_route_has_a_window_of_its_own(operation: str, rate: Rate) -> None:
    quotas = Quotas(Rate(7, 1))
    assert quotas.window(operation).rate == rate
    assert quotas.window(operation) is quotas.window(operation)
    assert quotas.window(operation) is not quotas.window("stop-call")
    assert Quotas().window("stop-call").rate == GENERAL


def simulate(
    rate: Rate, workers: int, requests: int, network: Any, window: Window | None = None, headers: Any = None
) -> list[float]:
    """Let *workers* send *requests*; return when each was counted by the server.

    ``network(n)`` gives the seconds to the server and back.
    """
    window = window or Window(rate)
    counted: list[float] = []
    order = itertools.count()
    events: list[tuple[float, int, str, Any]] = [(0.0, next(order), "ask", None) for _ in range(workers)]
    started = 0
    while events:
        now, _, what, about = heapq.heappop(events)
        if what == "count":
            counted.append(now)
            sent, back = about
            answer = sent, headers(now, counted) if headers else None
            heapq.heappush(events, (now + back, next(order), "answer", answer))
            continue
        if what == "answer":
            sent, answered = about
            window.answered(now, answered, sent)
        if started < requests:
            wait = window.wait(now)
            if wait > 0:
                heapq.heappush(events, (now + wait, next(order), "ask", None))
                continue
            there, back = network(started)
            started += 1
            heapq.heappush(events, (now + there, next(order), "count", (now, back)))
    return sorted(counted)


def most_in_any(seconds: float, times: list[float]) -> int:
    ordered = sorted(times)
    return max(bisect.bisect_left(ordered, start + seconds - 1e-9) - n for n, start in enumerate(ordered))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("workers", [1, 5, 25])
def test_the_server_never_counts_more_than_the_quota_in_any_window(seed: int, workers: int) -> None:
    source = random.Random(seed)
    rate = Rate(source.choice([1, 5, 20]), source.choice([0.5, 1, 10]))
    counted = simulate(rate, workers, 75, lambda _: (source.uniform(0, 2), source.uniform(0, 2)))
    assert len(counted) == 75
    assert most_in_any(rate.seconds, counted) <= rate.requests


def test_the_whole_quota_is_used() -> None:
    counted = simulate(Rate(20, 1), 40, 200, lambda _: (0.001, 0.001))
    assert counted[19] < 0.1  # no waiting for what is free
    assert 9 <= counted[-1] <= 9.3  # ten windows for ten quotas, ideal is 9 s


@pytest.mark.parametrize("seed", range(4))
def test_the_servers_headers_cost_nothing_when_nobody_else_sends(seed: int) -> None:
    source = random.Random(seed)

    def headers(now: float, counted: list[float]) -> dict[str, str]:
        return {"RateLimit-Remaining": str(100 - len(counted) + bisect.bisect(counted, now - 1))}

    def network(_: int) -> tuple[float, float]:
        return source.uniform(0.001, 0.02), source.uniform(0.001, 0.02)

    assert simulate(Rate(100, 1), 32, 1000, network, headers=headers)[-1] <= 9.7  # ideal is 9 s


def test_a_full_window_tells_how_long_to_wait() -> None:
    window = Window(Rate(2, 10))
    assert window.wait(0) == 0
    assert window.wait(0) == 0
    assert 0 < window.wait(0) <= 0.05  # both in flight: look again soon
    window.answered(1)
    window.answered(2)
    assert window.wait(3) == 8
    assert window.wait(11) == 0
    assert window.wait(11) == 1


def test_a_pause_holds_back_what_would_be_free_and_is_never_shortened() -> None:
    window = Window(Rate(2, 10))
    window.pause(5)
    window.pause(3)
    assert window.wait(0) == 5
    assert window.wait(4) == 1
    assert window.wait(5) == 0


def test_it_leaves_room_for_what_others_took_in_the_last_window() -> None:
    # The server has 5 left of 10 though this client sent one: others took 4.
    window = Window(Rate(10, 10))
    window.wait(0)
    window.answered(0, {"RateLimit-Remaining": "5"})
    assert [window.wait(0) for _ in range(5)] == [0] * 5
    assert window.wait(0) == 10
    assert [window.wait(10) for _ in range(5)] == [0] * 5  # five are in flight still


def test_the_most_of_the_last_window_counts() -> None:
    window = Window(Rate(10, 10))
    for now, remaining in ((0, "5"), (1, "7"), (2, "6")):
        window.wait(now)
        window.answered(now, {"RateLimit-Remaining": remaining})
    assert [window.wait(2) for _ in range(3)] == [0] * 3
    assert window.wait(2) == 8


def test_it_never_leaves_more_than_half_to_others() -> None:
    window = Window(Rate(10, 10))
    window.wait(0)
    window.answered(0, {"RateLimit-Remaining": "0"})
    assert [window.wait(0) for _ in range(4)] == [0] * 4
    assert window.wait(0) > 0


def test_own_requests_on_their_way_are_not_taken_for_anothers() -> None:
    window = Window(Rate(10, 10))
    for _ in range(6):
        window.wait(0)
    # Two of the six have been counted, four are still on their way.
    window.answered(1, {"RateLimit-Remaining": "8"})
    assert [window.wait(1) for _ in range(4)] == [0] * 4


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"RateLimit-Remaining": "many"},
        {"RateLimit-Remaining": "-3"},
        {"RateLimit-Remaining": "²"},
        {"RateLimit-Remaining": "500"},
    ],
)
def test_headers_that_say_nothing_change_nothing(headers: dict[str, str]) -> None:
    window = Window(Rate(3, 10))
    window.wait(0)
    window.answered(0, headers)
    assert [window.wait(0), window.wait(0)] == [0, 0]
    assert window.wait(0) == 10


@pytest.mark.parametrize("knows", [True, False])
def test_two_clients_share_by_the_servers_headers(knows: bool) -> None:
    """A client that takes half, evenly; this one is refused rarely if it reads the headers, and often if not."""
    others = [n * 0.05 for n in range(1000)]  # 20 of the 40 per second
    window, counted, refused, now = Window(Rate(40, 1)), [], 0, 0.0
    while len(counted) < 200:
        while (wait := window.wait(now)) > 0:
            now += wait
        sent, now = now, now + 0.01
        taken = sum(now - 1 < t <= now for t in (*counted, *others))
        is_refused = taken >= 40
        refused += is_refused
        if not is_refused:
            counted.append(now)
        headers = {"RateLimit-Remaining": str(max(40 - taken - 1, 0))} if knows else {}
        window.answered(now + 0.01, headers, sent, refused=is_refused)
        if is_refused:
            window.pause(now + 0.1)
    assert now <= 10 * 1.3  # at best 200 take ten seconds
    assert refused <= 10 if knows else refused >= 30


def test_a_refused_request_is_not_taken_for_ones_own() -> None:
    window = Window(Rate(10, 10))
    for refused in (False, True):
        window.wait(0)
        window.answered(0, {"RateLimit-Remaining": "0"} if refused else {}, refused=refused)
    assert [window.wait(0) for _ in range(3)] == [
        0
    ] * 3  # one own, one refused, and half of ten left to others
    assert window.wait(0) > 0
