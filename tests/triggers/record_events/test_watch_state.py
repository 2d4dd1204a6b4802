"""The state of a watcher."""

from __future__ import annotations

from airflow_provider_retell.clock import clock
from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord
from airflow_provider_retell.triggers.record_events.watch_state import WatchState

HOUR = 3600 * 1000
NOW = int(clock().time() * 1000)


def record(record_id: str, ended_at: int = NOW) -> EndedRecord:
    return EndedRecord(record_id, {"end_timestamp": ended_at})


def test_state_survives_storing() -> None:
    state = WatchState(since=NOW - HOUR)
    state.mark_fired([record("id_1"), record("id_2", NOW - 120_000), record("id_3")])
    dumped = state.dump()
    assert sorted(map(len, dumped["fired"].values())) == [8, 16]
    restored = WatchState.restore(dumped)
    assert (restored.since, restored.fired, restored.saved) == (state.since, state.fired, True)


def test_fired_record_is_not_new() -> None:
    state = WatchState(since=0, saved=True)
    assert state.is_new(record("id_1"))
    state.mark_fired([record("id_1")])
    assert not state.is_new(record("id_1"))
    assert state.is_new(record("id_2"))
    assert not state.saved


def test_pending_record_is_confirmed_by_its_event() -> None:
    state = WatchState(since=0)
    state.mark_pending([record("id_1"), record("id_2")])
    state.confirm(record("id_1"))
    assert list(state.pending) == ["id_2"]
    assert not state.is_new(record("id_1"))


def test_event_of_another_watcher_marks_the_record_as_fired() -> None:
    state = WatchState(since=NOW - HOUR)
    state.confirm(record("id_1"))
    state.confirm(record("before_the_watermark", NOW - 2 * HOUR))
    assert not state.is_new(record("id_1"))
    assert len(state.fired) == 1


class TestAdvance:
    def test_watermark_stays_behind_the_newest_record_by_the_overlap(self) -> None:
        state = WatchState(since=0, saved=True)
        state.mark_fired([record("old", NOW - 3 * HOUR), record("new", NOW)])
        state.advance(NOW, [], overlap=3600)
        assert (state.since, state.saved) == (NOW - HOUR, False)
        assert state.is_new(record("old"))
        assert not state.is_new(record("new"))

    def test_watermark_waits_for_an_analysis_up_to_six_hours(self) -> None:
        state = WatchState(since=0)
        assert state.advance(NOW, [NOW - HOUR, NOW - 5 * HOUR], overlap=60) == 0
        assert state.since == NOW - 5 * HOUR
        state = WatchState(since=0)
        assert state.advance(NOW, [NOW - 7 * HOUR], overlap=60) == 0
        assert state.since == NOW - 6 * HOUR

    def test_watermark_never_moves_back(self) -> None:
        state = WatchState(since=NOW, saved=True)
        state.advance(NOW - HOUR, [], overlap=0)
        assert (state.since, state.saved) == (NOW, True)

    def test_end_in_the_future_does_not_move_the_watermark_there(self) -> None:
        state = WatchState(since=0)
        state.advance(NOW + 24 * HOUR, [], overlap=0)
        assert NOW <= state.since < NOW + HOUR

    def test_state_keeps_the_newest_5000_records(self) -> None:
        state = WatchState(since=0)
        state.mark_fired(record(f"id_{minute}", NOW - minute * 60_000) for minute in range(5010))
        assert state.advance(NOW, [], overlap=30 * 24 * 3600) == 0
        assert len(state.fired) == 5000
        assert not state.is_new(record("id_0"))
        assert state.is_new(record("id_5009"))

    def test_records_that_have_yet_to_fire_are_counted_if_5000_others_push_the_watermark_past_them(
        self,
    ) -> None:
        state = WatchState(since=NOW - 8 * HOUR)
        state.mark_fired(record(f"id_{number}", NOW - number * 2_000) for number in range(5010))
        waiting = [NOW - 7 * HOUR, NOW - 4 * HOUR, NOW - 3 * HOUR, NOW - HOUR]
        # The first one has waited for more than six hours, and the last one is newer than the 5000 records.
        assert state.advance(NOW, waiting, overlap=60) == 2
        assert NOW - 3 * HOUR < state.since < NOW - HOUR
        assert state.advance(NOW, waiting[-1:], overlap=60) == 0
