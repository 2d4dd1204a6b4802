"""The sliding window against a server that counts requests, with arbitrary response times."""

from __future__ import annotations

import bisect
import heapq
import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_retell.api.quota import Rate, Window

rates = st.builds(Rate, st.integers(1, 12), st.sampled_from([0.5, 1.0, 10.0]))
seconds = st.floats(0, 30)
remaining = st.one_of(
    st.none(),
    st.integers(0, 20).map(str),
    st.sampled_from(["", "-1", "1.5", "many", "\u00b2", "\u0663", "9" * 5000]),
)
trips = st.tuples(seconds, seconds, st.sampled_from(["ok", "ok", "ok", "refused", "failed"]), remaining)


def most_in_any(window: float, times: list[float]) -> int:
    ordered = sorted(times)
    # The sums of floating-point times differ in the last bits.
    return max(
        (bisect.bisect_left(ordered, start + window - 1e-6) - n for n, start in enumerate(ordered)), default=0
    )


class Simulation:
    """Sends one request per trip: seconds to the server, seconds back, the outcome, and the header of the response."""

    def __init__(self, rate: Rate, workers: int, journeys: list[Any]) -> None:
        self.window = Window(rate)
        self.counted: list[float] = []
        self.now = 0.0
        order = itertools.count()
        todo = list(journeys)
        events: list[Any] = [(0.0, next(order), "start", None) for _ in range(workers)]
        while events:
            self.now, _, kind, trip = heapq.heappop(events)
            if kind == "count":
                if trip[2] != "refused":
                    self.counted.append(self.now)
                heapq.heappush(events, (self.now + trip[1], next(order), "answer", trip))
                continue
            if kind == "answer":
                _, _, outcome, left = trip
                headers = (
                    None if outcome == "failed" else {} if left is None else {"RateLimit-Remaining": left}
                )
                self.window.release(
                    self.now, headers, self.now - trip[0] - trip[1], refused=outcome == "refused"
                )
            if not todo:
                continue
            delay = self.window.reserve(self.now)
            assert delay >= 0
            if delay:
                heapq.heappush(events, (self.now + delay, next(order), "start", None))
            else:
                trip = todo.pop()
                heapq.heappush(events, (self.now + trip[0], next(order), "count", trip))


@given(rates, st.integers(1, 8), st.lists(trips, max_size=25))
def test_server_never_counts_more_than_the_quota_in_any_window(
    rate: Rate, workers: int, journeys: list[Any]
) -> None:
    simulation = Simulation(rate, workers, journeys)
    assert len(simulation.counted) == sum(trip[2] != "refused" for trip in journeys)
    assert most_in_any(rate.seconds, simulation.counted) <= rate.requests
    assert simulation.window.usage.requests == len(journeys)


@given(rates, st.integers(1, 8), st.lists(trips, max_size=25))
def test_every_slot_is_free_again_after_the_last_response(
    rate: Rate, workers: int, journeys: list[Any]
) -> None:
    simulation = Simulation(rate, workers, journeys)
    later = simulation.now + rate.seconds + 0.001
    taken = [simulation.window.reserve(later) for _ in range(rate.requests + 1)]
    assert taken[:-1] == [0.0] * rate.requests
    assert taken[-1] > 0


@given(rates, st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=20))
def test_pause_holds_every_request_back_and_ends(rate: Rate, pauses: list[Any]) -> None:
    window = Window(rate)
    now, resume = 0.0, 0.0
    for advance, length in pauses:
        now += advance
        window.pause(now + length)
        resume = max(resume, now + length)
        assert window.pause_left(now) == resume - now
        assert (window.reserve(now) == 0) == (resume <= now) or window.usage.requests == rate.requests
    assert window.pause_left(resume) == 0
