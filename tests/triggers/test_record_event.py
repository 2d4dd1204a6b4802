"""The event triggers against the emulator: the records that fire, and the state that survives a restart."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator, Fault

pytest.importorskip("airflow.sdk", reason="needs Airflow 3")

from tasks import connect
from watching import CALLS, CHATS, Records, Store, ago

from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.hooks import shared
from airflow_provider_retell.triggers import record_event
from airflow_provider_retell.triggers.call_event import CallEventTrigger
from airflow_provider_retell.triggers.chat_event import ChatEventTrigger
from airflow_provider_retell.triggers.record_events import ended_records, watch_state
from airflow_provider_retell.triggers.record_events.fired_log import SETTLE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_mock import MockerFixture

    from airflow_provider_retell.triggers.record_event import RecordEventTrigger

LIMIT = 65535  # [state_store] max_value_storage_bytes


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator whose clock advances when the watcher sleeps."""
    with Emulator(quotas=None) as emulator, no_waiting(emulator.clock.advance):
        connect(monkeypatch, emulator, list_quota="100000/1")
        yield emulator


def stored_state(store: Store) -> dict[str, Any]:
    (state,) = store.values.values()
    parsed: dict[str, Any] = json.loads(state)
    return parsed


class TestFiring:
    async def test_record_that_ends_fires_once(self, records: Records, emulator: Emulator) -> None:
        records.add(emulator, "id_live", "ongoing", progress=True, direction="outbound")
        records.end(emulator, "id_before", status="error")
        async with records.watching() as watch:
            assert await watch.has(1) == ["id_before"]
            emulator.clock.advance(60)
            assert await watch.has(2) == ["id_before", "id_live"]
            await records.polls(emulator, 5)
            assert len(watch.events) == 2
            ended = records.of(emulator)["id_live"]
            of_calls = {
                "call_type": "phone_call",
                "direction": "outbound",
                "disconnection_reason": "user_hangup",
            }
            assert watch.events[1] == {
                "event": records.named("ended"),
                records.named("id"): "id_live",
                records.named("status"): "ended",
                "agent_id": ended["agent_id"],
                "end_timestamp": ended["end_timestamp"],
                **(of_calls if records is CALLS else {"chat_type": "api_chat"}),
            }

    async def test_malformed_record_does_not_prevent_the_events_of_others(
        self, records: Records, emulator: Emulator
    ) -> None:
        records.end(emulator, "odd")
        records.of(emulator)["odd"] |= {
            records.named("cost"): {"combined_cost": "n/a"},
            "agent_id": {"private": 1},
        }
        records.end(emulator, "plain")
        async with records.watching() as watch:
            assert await watch.has(2) == ["odd", "plain"]
            agents = {event[records.named("id")]: event["agent_id"] for event in watch.events}
            assert agents["odd"] is None

    @pytest.mark.parametrize(
        ("records", "arguments", "expected"),
        [
            (CALLS, {}, "abcd"),
            (CALLS, {"agent_ids": ["agent_1"]}, "ab"),
            (CALLS, {"agent_ids": ("agent_2", "agent_1")}, "abcd"),
            (CALLS, {"agent_ids": ["agent_3"]}, ""),
            (CALLS, {"call_type": "web_call"}, "d"),
            (CALLS, {"direction": "inbound"}, "b"),
            (CALLS, {"direction": "outbound", "agent_ids": ["agent_2"]}, "c"),
            (CHATS, {}, "ab"),
            (CHATS, {"agent_ids": ["agent_1"]}, "a"),
            (CHATS, {"chat_type": "sms_chat"}, "b"),
            (CHATS, {"chat_type": "sms_chat", "agent_ids": ["agent_1"]}, ""),
        ],
    )
    async def test_filters_select_records(
        self, emulator: Emulator, records: Records, arguments: dict[str, Any], expected: str
    ) -> None:
        CALLS.end(emulator, "a", agent_id="agent_1", direction="outbound")
        CALLS.end(emulator, "b", agent_id="agent_1", direction="inbound")
        CALLS.end(emulator, "c", agent_id="agent_2", direction="outbound")
        CALLS.end(emulator, "d", agent_id="agent_2", call_type="web_call", direction=None)
        CHATS.end(emulator, "a", agent_id="agent_1")
        CHATS.end(emulator, "b", agent_id="agent_2", chat_type="sms_chat")
        async with records.watching(**arguments) as watch:
            await records.polls(emulator)
            assert sorted(watch.ids) == list(expected)

    async def test_record_that_is_listed_late_fires_within_the_overlap(
        self, records: Records, emulator: Emulator
    ) -> None:
        records.end(emulator, "newest", 10)
        async with records.watching(overlap=100) as watch:
            await watch.has(1)
            await records.polls(emulator)
            newest = records.of(emulator)["newest"]["end_timestamp"]
            records.end(emulator, "late", end_timestamp=newest - 90_000)
            records.end(emulator, "too_late", end_timestamp=newest - 110_000)
            await watch.has(2)
            await records.polls(emulator)
            assert sorted(watch.ids) == ["late", "newest"]

    def test_late_analysis_fires_up_to_six_hours_after_the_call(
        self, records: Records, emulator: Emulator
    ) -> None:
        store = Store()
        records.end(emulator, "late", 3000)
        records.end(emulator, "too_late", 7 * 3600)
        for index in range(3):
            records.end(emulator, f"id_{index}", 10 * index, **records.analyzed())

        async def go() -> None:
            async with records.watching(store, event="analyzed", overlap=60, lookback=8 * 3600) as watch:
                assert await watch.has(3) == ["id_0", "id_1", "id_2"]
                await records.polls(emulator)
            async with records.watching(store, event="analyzed", overlap=60) as watch:
                await records.polls(emulator)
                assert watch.ids == []
                records.of(emulator)["late"] |= records.analyzed()
                records.of(emulator)["too_late"] |= records.analyzed()
                assert await watch.has(1) == ["late"]
                assert watch.events[0]["event"] == records.named("analyzed")
                records.end(emulator, "next", 1, **records.analyzed())
                await watch.has(2)
                await records.polls(emulator)
                assert watch.ids == ["late", "next"]

        asyncio.run(go())
        assert stored_state(store)["since"] > ago(120)  # the watermark has passed all records

    async def test_record_that_is_given_up_because_too_many_others_fired_is_logged(
        self, records: Records, emulator: Emulator, mocker: MockerFixture, caplog: pytest.LogCaptureFixture
    ) -> None:
        mocker.patch.object(watch_state, "MAX_FIRED", 3)
        records.end(emulator, "late", 3000)
        for index in range(5):
            records.end(emulator, f"id_{index}", 120 * index, **records.analyzed())
        async with records.watching(event="analyzed", overlap=60, lookback=8 * 3600) as watch:
            await watch.has(5)
            await records.polls(emulator, 3)
        warnings = [
            line.getMessage() for line in caplog.records if "that had yet to fire" in line.getMessage()
        ]
        assert len(warnings) == 1
        assert f"1 {records.noun} that had yet to fire will not, because" in warnings[0]

    def test_filtered_records_do_not_hold_the_watermark_back(
        self, records: Records, emulator: Emulator
    ) -> None:
        store = Store()
        records.end(emulator, "other", 3000, agent_id="agent_other")
        records.end(emulator, "newest", 5, agent_id="agent_other")

        async def go() -> None:
            async with records.watching(store, event="analyzed", agent_ids=["agent_1"], overlap=60):
                await records.polls(emulator, 3)

        asyncio.run(go())
        assert stored_state(store)["since"] > ago(120)

    def test_all_records_that_end_in_the_same_millisecond_fire(
        self, records: Records, emulator: Emulator
    ) -> None:
        store = Store()
        ended = ago(20)
        for index in range(5):
            records.end(emulator, f"id_{index}", end_timestamp=ended)

        async def go() -> None:
            async with records.watching(store, overlap=0) as watch:
                assert len(await watch.has(5)) == 5
                await records.polls(emulator)
            records.end(emulator, "id_5", end_timestamp=ended)
            async with records.watching(store, overlap=0) as watch:
                assert await watch.has(1) == ["id_5"]
                await records.polls(emulator)
                assert len(watch.ids) == 1

        asyncio.run(go())

    @pytest.mark.slow
    async def test_thousands_of_records_fire_once_and_fit_into_the_state_store(
        self, emulator: Emulator
    ) -> None:
        records, store = CALLS, Store()  # the state of chats has the same form
        for index in range(6000):  # two per second
            records.end(emulator, f"id_{index}", 3000 - index / 2)
        async with records.watching(store, lookback=5000, overlap=5000) as watch:
            assert len(set(await watch.has(6000))) == 6000
            await records.polls(emulator)
            assert len(watch.events) == 6000
            assert watch.batches == [500] * 12
        async with records.watching(store, overlap=5000) as watch:
            await records.polls(emulator)
            assert watch.events == []
            records.end(emulator, "one_more", 1)
            assert await watch.has(1) == ["one_more"]
        assert LIMIT / 2 < store.largest < LIMIT

    @pytest.mark.parametrize("hours", [-2, 2])
    async def test_retells_clock_may_differ_from_airflows(
        self, records: Records, monkeypatch: pytest.MonkeyPatch, hours: int
    ) -> None:
        retells = Clock(start=time.time() + hours * 3600)
        with Emulator(quotas=None, clock=retells) as emulator, no_waiting(retells.advance):
            connect(monkeypatch, emulator, list_quota="100000/1")
            async with records.watching(lookback=3 * 3600, overlap=60) as watch:
                for index in range(3):
                    records.add(emulator, f"id_{index}", "ongoing", progress=True)
                    retells.advance(300)
                    assert len(await watch.has(index + 1)) == index + 1
                    await records.polls(emulator)
                assert watch.ids == ["id_0", "id_1", "id_2"]

    async def test_end_in_the_future_hides_no_other_record(
        self, records: Records, emulator: Emulator
    ) -> None:
        records.end(emulator, "future", -365 * 24 * 3600)
        async with records.watching(overlap=60) as watch:
            await watch.has(1)
            await records.polls(emulator)
            records.end(emulator, "now", 1)
            assert await watch.has(2) == ["future", "now"]


class TestRestart:
    async def test_watcher_continues_from_the_stored_state(
        self, records: Records, emulator: Emulator
    ) -> None:
        store = Store()
        records.end(emulator, "before_lookback", 100)
        async with records.watching(store, lookback=50) as watch:
            await records.polls(emulator)
            records.end(emulator, "first", 40)
            await watch.has(1)
            await records.polls(emulator)
        records.end(emulator, "meanwhile", 30)
        async with records.watching(store, lookback=0, poll_interval=0.05, overlap=800) as watch:
            assert await watch.has(1) == ["meanwhile"]
            await records.polls(emulator, 4)
            assert watch.ids == ["meanwhile"]

    async def test_watchers_with_other_filters_have_their_own_state(
        self, records: Records, emulator: Emulator
    ) -> None:
        store = Store()
        records.end(emulator, "one", agent_id="agent_1")
        for agents in (None, ["agent_1"], ["agent_2"]):
            async with records.watching(store, agent_ids=agents) as watch:
                await records.polls(emulator, 3)
                assert watch.ids == ([] if agents == ["agent_2"] else ["one"])
        assert len(store.values) == 3

    async def test_watcher_without_a_state_store_looks_back(
        self, records: Records, emulator: Emulator
    ) -> None:
        records.end(emulator, "old", 300)
        records.end(emulator, "recent", 100)
        for _ in range(2):
            async with records.watching(lookback=200) as watch:
                await records.polls(emulator)
                assert watch.ids == ["recent"]

    async def test_state_is_stored_only_after_airflow_had_time_to_store_the_event(
        self, records: Records, emulator: Emulator, mocker: MockerFixture
    ) -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            await asyncio.Event().wait()  # killed while it sleeps

        mocker.patch.object(clock(), "sleep_async", sleep)
        store = Store()
        records.end(emulator, "id_1")
        for run in range(2):  # it fires again rather than never
            async with records.watching(store) as watch:
                assert await watch.has(1) == ["id_1"]
                while len(slept) <= run:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                assert stored_state(store)["fired"] == {}
        assert slept == [SETTLE_SECONDS] * 2
        assert SETTLE_SECONDS == 5

    @pytest.mark.usefixtures("whole_log")
    def test_failing_state_store_loses_no_record(
        self, records: Records, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Store()
        store.values[records.trigger()._key] = json.dumps({"since": ago(100), "fired": {}})
        records.end(emulator, "meanwhile", 50)

        async def go() -> None:
            store.fails = 2  # reads: the watcher must not start with a lookback instead
            async with records.watching(store, lookback=0) as watch:
                assert await watch.has(1) == ["meanwhile"]
                await records.polls(emulator)
                store.fails = 2  # writes
                records.end(emulator, "next", 1)
                await watch.has(2)
                while store.writes < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            async with records.watching(store) as watch:
                await records.polls(emulator)
                assert watch.ids == []

        asyncio.run(asyncio.wait_for(go(), 30))
        assert store.fails == 0
        assert caplog.text.count("state store could not be read: RuntimeError. Trying again") == 1
        assert caplog.text.count("state store could not be written: RuntimeError. Trying again") == 1
        assert "10.0.0.1" not in caplog.text

    async def test_equal_watchers_of_several_assets_keep_their_state_in_memory(
        self, records: Records, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        try:
            from airflow.sdk import Asset
            from airflow.sdk.execution_time.context import AssetStateStoreAccessors
        except ImportError:
            pytest.skip("Airflow before 3.3 has no state store")
        records.end(emulator, "id_1")
        stores: Any = AssetStateStoreAccessors(inlets=[Asset("one"), Asset("two")])
        async with records.watching(stores) as watch:
            assert await watch.has(1) == ["id_1"]
            await records.polls(emulator)
            assert len(watch.ids) == 1
        assert caplog.text.count("Several assets have equal watchers") == 1
        assert "could not be" not in caplog.text


class TestFailures:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault.status(500),
            Fault.status(429, headers={"Retry-After": "100"}),
            Fault.status(401),
            Fault.garbage(),
            Fault.drop(),
            Fault.status(200, body={"items": [], "has_more": True}),
        ],
        ids=["500", "429", "401", "garbage", "drop", "broken chain"],
    )
    async def test_watcher_survives_errors_of_retell(
        self,
        records: Records,
        emulator: Emulator,
        fault: Fault,
        caplog: pytest.LogCaptureFixture,
        mocker: MockerFixture,
    ) -> None:
        caplog.set_level(logging.INFO)
        mocker.patch.object(shared, "POLL_RETRY", RetryLimits(attempts=1))
        rule = emulator.faults.add(fault, route=records.route, times=3)
        async with records.watching() as watch:
            records.end(emulator, "id_1")
            assert await watch.has(1) == ["id_1"]
            await records.polls(emulator)
        assert rule.hits == 3
        first, *_, event, last = [
            record.message for record in caplog.records if record.name == record_event.__name__
        ]
        assert re.fullmatch(
            rf"Watching {records.plural} of connection 'retell_default' for {records.noun}_ended, "
            "since .+; polling every 0.03 s",
            first,
        )
        assert event == f"Reporting 1 {records.noun} in an event: {records.noun}_ended"
        assert last == "Connection 'retell_default': the watcher works again"
        assert f"{records.plural.capitalize()} could not be listed: {records.route}: " in caplog.text
        assert f"Trying again in about 0.03 s; no {records.noun} is lost" in caplog.text
        assert ".. Trying" not in caplog.text

    async def test_connection_that_is_defined_later_is_found(
        self,
        records: Records,
        emulator: Emulator,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.delenv("AIRFLOW_CONN_RETELL_DEFAULT")
        records.end(emulator, "id_1")
        async with records.watching() as watch:
            while "could not be listed" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            connect(monkeypatch, emulator, list_quota="100000/1")
            assert await watch.has(1) == ["id_1"]


class TestSharedPoll:
    @pytest.fixture
    def emulator(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
        """An emulator in real time. Twenty sleeping watchers would skip twenty times as much time as they share."""
        with Emulator(quotas=None) as emulator:
            connect(monkeypatch, emulator, list_quota="100000/1")
            connect(monkeypatch, emulator, conn_id="other", list_quota="100000/1")
            yield emulator

    async def test_twenty_watchers_share_one_poll(self, records: Records, emulator: Emulator) -> None:
        interval = 0.1
        async with AsyncExitStack() as stack:
            watches = []
            for index in range(20):
                agent = [f"agent_{index}"]
                watching = records.watching(agent_ids=agent, poll_interval=interval, lookback=3600 + index)
                watches.append(await stack.enter_async_context(watching))
                records.end(emulator, f"id_{index}", agent_id=agent[0])
            other = records.watching(retell_conn_id="other", poll_interval=interval)
            await stack.enter_async_context(other)
            for watch in watches:
                await watch.has(1)
            emulator.clear_requests()
            began = time.monotonic()
            await asyncio.sleep(8 * interval)
            rounds = (time.monotonic() - began) / (interval * 0.8)
            # One poll for each of the two connections.
            assert 2 * 3 <= emulator.count(records.route) <= 2 * (rounds + 1)
            assert [watch.ids for watch in watches] == [[f"id_{index}"] for index in range(20)]

    async def test_twenty_watchers_share_one_failure(
        self, records: Records, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        emulator.faults.add(Fault.status(401), route=records.route, times=0)
        async with AsyncExitStack() as stack:
            for _ in range(20):
                await stack.enter_async_context(records.watching(poll_interval=5))
            while caplog.text.count("could not be listed") < 20:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert emulator.count(records.route) == 1

    async def test_watchers_of_calls_and_of_chats_share_no_poll(self, emulator: Emulator) -> None:
        store = Store()
        CALLS.end(emulator, "same_id")
        CHATS.end(emulator, "same_id")
        async with (
            CALLS.watching(store, poll_interval=60) as calls,
            CHATS.watching(store, poll_interval=60) as chats,
        ):
            assert await calls.has(1) == ["same_id"]
            assert await chats.has(1) == ["same_id"]
            assert [calls.events[0]["event"], chats.events[0]["event"]] == ["call_ended", "chat_ended"]
        assert len(store.values) == 2

    async def test_stopping_one_watcher_does_not_stop_another(
        self, records: Records, emulator: Emulator
    ) -> None:
        emulator.faults.add(Fault.slow(0.3), route=records.route)
        async with AsyncExitStack() as stack:
            async with records.watching():
                await asyncio.sleep(0.1)  # it waits for the slow response
                other = await stack.enter_async_context(records.watching())
            records.end(emulator, "id_1")
            assert await other.has(1) == ["id_1"]


def test_no_private_value_is_kept_fired_or_logged(
    records: Records, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    numbers = (
        {"from_number": "+14155550111", "to_number": "+14155550112"}
        if records is CALLS
        else {"agent_number": "+14155550111", "user_number": "+14155550112"}
    )
    record = records.add(emulator, "id_1", metadata={"note": "zebra"}, end_timestamp=ago(5), **numbers)
    links = [record["recording_url"]] if records is CALLS else []
    store = Store()

    async def go() -> None:
        async with records.watching(store) as watch:
            await watch.has(1)
            await records.polls(emulator)
            (kept,) = ended_records._polls[asyncio.get_running_loop()].values()
            seen = repr(watch.events) + repr(kept.records) + repr(store.values) + caplog.text
            private = ["zebra", "+1415", emulator.api_key, record["transcript"][:20], *links]
            assert [text for text in private if text in seen] == []

    asyncio.run(go())


OTHER: dict[str, Any] = {
    "retell_conn_id": "other",
    "event": "analyzed",
    "agent_ids": {"b", "a", "c"},
    "poll_interval": 10,
    "overlap": 20,
    "lookback": 30,
}


class TestArguments:
    @pytest.mark.parametrize(
        ("trigger", "path"),
        [
            (
                CallEventTrigger(call_type="web_call", direction="inbound", **OTHER),
                "airflow_provider_retell.triggers.call_event.CallEventTrigger",
            ),
            (
                ChatEventTrigger(chat_type="sms_chat", **OTHER),
                "airflow_provider_retell.triggers.chat_event.ChatEventTrigger",
            ),
        ],
        ids=["call", "chat"],
    )
    def test_serialized_arguments_are_those_of_the_constructor(
        self, trigger: RecordEventTrigger, path: str
    ) -> None:
        serialized, arguments = trigger.serialize()
        assert serialized == path
        assert (arguments["retell_conn_id"], arguments["event"]) == ("other", "analyzed")
        assert arguments["agent_ids"] == ["a", "b", "c"]
        assert [arguments[name] for name in ("poll_interval", "overlap", "lookback")] == [10, 20, 30]
        again: Any = type(trigger)
        assert again(**json.loads(json.dumps(arguments))).serialize() == (path, arguments)

    def test_durations_may_be_timedeltas(self, records: Records) -> None:
        durations = {"poll_interval": 10, "overlap": 20, "lookback": 30}
        deltas = {name: timedelta(seconds=seconds) for name, seconds in durations.items()}
        assert records.trigger(**deltas).serialize() == records.trigger(**durations).serialize()

    def test_airflow_recognizes_equal_watchers_by_their_hash(self, records: Records) -> None:
        from airflow.models.trigger import Trigger
        from airflow.serialization.serialized_objects import BaseSerialization
        from airflow.triggers.base import BaseEventTrigger

        def hashes(trigger: RecordEventTrigger) -> tuple[int, int]:
            path, arguments = trigger.serialize()
            stored = Trigger._decrypt_kwargs(Trigger.encrypt_kwargs(arguments))
            assert BaseSerialization.serialize(stored) == BaseSerialization.serialize(arguments)
            return BaseEventTrigger.hash(path, arguments), BaseEventTrigger.hash(path, stored)

        one, same = hashes(records.trigger(agent_ids=["a", "b"]))
        assert one == same
        assert hashes(records.trigger(agent_ids=("b", "a", "b"))) == (one, one)
        assert hashes(records.trigger(agent_ids=["a"]))[0] != one

    def test_asset_watcher_accepts_the_trigger(self, records: Records) -> None:
        from airflow.sdk import Asset, AssetWatcher

        Asset("records", watchers=[AssetWatcher(name="ended", trigger=records.trigger())])

    def test_airflows_argument_is_passed_on_and_unknown_ones_raise(self, records: Records) -> None:
        assert "queue" not in records.trigger(queue="mine").serialize()[1]
        name = records.trigger.__name__
        with pytest.raises(TypeError, match=f"^{name} has no argument agent_id"):
            records.trigger(agent_id="agent_1")

    @pytest.mark.parametrize(
        "arguments",
        [
            {"event": "started"},
            {"agent_ids": []},
            {"agent_ids": "agent_1"},
            {"poll_interval": 0},
            {"overlap": -1},
            {"lookback": timedelta(seconds=-1)},
        ],
    )
    def test_invalid_value_fails_when_the_dag_is_read(
        self, records: Records, arguments: dict[str, Any]
    ) -> None:
        with pytest.raises((ValueError, TypeError), match=f"^{next(iter(arguments))} must "):
            records.trigger(**arguments)

    @pytest.mark.parametrize(
        ("records", "arguments"),
        [
            (CALLS, {"call_type": "phone"}),
            (CALLS, {"direction": "in"}),
            (CHATS, {"chat_type": "text"}),
            (CHATS, {"event": "transfer_ended"}),
        ],
    )
    def test_invalid_filter_fails_when_the_dag_is_read(
        self, records: Records, arguments: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match=f"^{next(iter(arguments))} must "):
            records.trigger(**arguments)
