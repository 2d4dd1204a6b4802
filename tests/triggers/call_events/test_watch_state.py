"""The state of a watcher."""

from __future__ import annotations

from airflow_provider_retell.clock import clock
from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall
from airflow_provider_retell.triggers.call_events.watch_state import WatchState

HOUR = 3600 * 1000
NOW = int(clock().time() * 1000)


def call(call_id: str, ended_at: int = NOW) -> EndedCall:
    return EndedCall({"call_id": call_id, "end_timestamp": ended_at}, frozenset())


def test_state_survives_storing() -> None:
    state = WatchState(since=NOW - HOUR)
    state.mark_fired([call("call_1"), call("call_2", NOW - 120_000), call("call_3")])
    dumped = state.dump()
    assert sorted(map(len, dumped["fired"].values())) == [8, 16]
    restored = WatchState.restore(dumped)
    assert (restored.since, restored.fired, restored.saved) == (state.since, state.fired, True)


def test_fired_call_is_not_new() -> None:
    state = WatchState(since=0, saved=True)
    assert state.is_new(call("call_1"))
    state.mark_fired([call("call_1")])
    assert not state.is_new(call("call_1"))
    assert state.is_new(call("call_2"))
    assert not state.saved


def test_pending_call_is_confirmed_by_its_event() -> None:
    state = WatchState(since=0)
    state.mark_pending([call("call_1"), call("call_2")])
    state.confirm(call("call_1"))
    assert list(state.pending) == ["call_2"]
    assert not state.is_new(call("call_1"))


def test_event_of_another_watcher_marks_the_call_as_fired() -> None:
    state = WatchState(since=NOW - HOUR)
    state.confirm(call("call_1"))
    state.confirm(call("before_the_watermark", NOW - 2 * HOUR))
    assert not state.is_new(call("call_1"))
    assert len(state.fired) == 1


class TestAdvance:
    def test_watermark_stays_behind_the_newest_call_by_the_overlap(self) -> None:
        state = WatchState(since=0, saved=True)
        state.mark_fired([call("old", NOW - 3 * HOUR), call("new", NOW)])
        state.advance(NOW, None, overlap=3600)
        assert (state.since, state.saved) == (NOW - HOUR, False)
        assert state.is_new(call("old"))
        assert not state.is_new(call("new"))

    def test_watermark_waits_for_an_analysis_up_to_six_hours(self) -> None:
        state = WatchState(since=0)
        state.advance(NOW, NOW - 5 * HOUR, overlap=60)
        assert state.since == NOW - 5 * HOUR
        state = WatchState(since=0)
        state.advance(NOW, NOW - 7 * HOUR, overlap=60)
        assert state.since == NOW - 6 * HOUR

    def test_watermark_never_moves_back(self) -> None:
        state = WatchState(since=NOW, saved=True)
        state.advance(NOW - HOUR, None, overlap=0)
        assert (state.since, state.saved) == (NOW, True)

    def test_end_in_the_future_does_not_move_the_watermark_there(self) -> None:
        state = WatchState(since=0)
        state.advance(NOW + 24 * HOUR, None, overlap=0)
        assert NOW <= state.since < NOW + HOUR

    def test_state_keeps_the_newest_5000_calls(self) -> None:
        state = WatchState(since=0)
        state.mark_fired(call(f"call_{minute}", NOW - minute * 60_000) for minute in range(5010))
        state.advance(NOW, None, overlap=30 * 24 * 3600)
        assert len(state.fired) == 5000
        assert not state.is_new(call("call_0"))
        assert state.is_new(call("call_5009"))
