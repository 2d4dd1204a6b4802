"""The event triggers with their asset's events: each record fires exactly once, whenever the triggerer is killed."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator

pytest.importorskip("airflow.sdk", reason="needs Airflow 3")

from fake_airflow import ASSET
from tasks import connect
from waits import until
from watching import CALLS, CHATS, Records, Store, Watch, ago

from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.hooks import airflow_api as airflow_api_client
from airflow_provider_retell.triggers import record_event
from airflow_provider_retell.triggers.call_event import CallEventTrigger
from airflow_provider_retell.triggers.chat_event import ChatEventTrigger
from airflow_provider_retell.triggers.record_events import asset_events_log
from airflow_provider_retell.triggers.record_events.asset_events_log import AssetEventsLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from fake_airflow import FakeAirflow
    from pytest_mock import MockerFixture

OPTION = {"airflow_conn_id": "airflow_api", "asset_name": ASSET}

# On Airflow 3.3 and later a watcher has a state store, too.
with_and_without_store = pytest.mark.parametrize("store", [None, Store], ids=["3.0", "3.3"])


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator whose clock advances when the watcher sleeps."""
    with Emulator(quotas=None) as emulator, no_waiting(emulator.clock.advance):
        connect(monkeypatch, emulator, list_quota="100000/1")
        yield emulator


class Triggerer:
    """A triggerer that can be killed and started again, and Airflow's database, which survives.

    :param records: the kind of records that the watcher watches.
    :param api: the stored events.
    :param store: the asset's state store.
    """

    def __init__(self, records: Records, api: FakeAirflow, store: type[Store] | None = None) -> None:
        self.records = records
        self.api = api
        self.store = store and store()

    def store_event(self, payload: dict[str, Any]) -> None:
        self.api.add({"from_trigger": True, "payload": payload})

    @asynccontextmanager
    async def run(
        self, on_payload: Callable[[dict[str, Any]], None] | None = None, **arguments: Any
    ) -> AsyncIterator[Watch]:
        """Run the watcher until the with statement ends.

        :param on_payload: called in place of :meth:`store_event`.
        """
        arguments = {**OPTION, "lookback": 600, **arguments}
        async with self.records.watching(self.store, on_payload or self.store_event, **arguments) as watch:
            yield watch

    @property
    def fired(self) -> Counter[str]:
        """The number of stored events for each record."""
        payloads = [event["extra"].get("payload", event["extra"]) for event in self.api.events]
        name, of_one = self.records.plural, self.records.named("id")
        return Counter(record[of_one] for payload in payloads for record in payload.get(name, ()))

    @property
    def recorded(self) -> dict[str, Any]:
        """The records that have fired according to the state store."""
        (state,) = self.store.values.values() if self.store else ('{"fired": {}}',)
        fired: dict[str, Any] = json.loads(state)["fired"]
        return fired


class TestKill:
    @with_and_without_store
    async def test_kill_between_the_stored_event_and_the_stored_state(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow, store: Any
    ) -> None:
        triggerer = Triggerer(records, airflow_api, store)
        records.end(emulator, "id_1")
        async with triggerer.run() as watch:
            await watch.has(1)
            assert triggerer.fired == {"id_1": 1}
            assert triggerer.recorded == {}
        async with triggerer.run() as watch:
            await records.polls(emulator, 3)
            assert watch.ids == []
            records.end(emulator, "id_2")
            assert await watch.has(1) == ["id_2"]
        assert triggerer.fired == {"id_1": 1, "id_2": 1}

    @with_and_without_store
    async def test_kill_before_the_event_is_stored(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow, store: Any
    ) -> None:
        triggerer = Triggerer(records, airflow_api, store)
        records.end(emulator, "id_1")
        async with triggerer.run(on_payload=lambda _payload: None) as watch:
            await watch.has(1)
            await records.polls(emulator, 5)  # no matter how long Airflow takes to store it
            assert watch.ids == ["id_1"]
            assert triggerer.recorded == {}
        async with triggerer.run() as watch:
            assert await watch.has(1) == ["id_1"]
            await records.polls(emulator, 3)
        assert triggerer.fired == {"id_1": 1}
        assert triggerer.recorded or not store

    @with_and_without_store
    @pytest.mark.parametrize("event", ["ended", "analyzed"])
    @pytest.mark.parametrize("seed", range(3))
    async def test_kills_at_random_times(
        self,
        records: Records,
        emulator: Emulator,
        airflow_api: FakeAirflow,
        store: Any,
        event: str,
        seed: int,
        mocker: MockerFixture,
    ) -> None:
        mocker.patch.object(record_event, "_MAX_RECORDS_PER_EVENT", 3)
        chance = random.Random(seed)
        triggerer = Triggerer(records, airflow_api, store)
        arguments = {"event": event, "poll_interval": 0.01, "lookback": 60, "overlap": 30}
        ids: list[str] = []

        def end_some() -> None:
            for _ in range(chance.randrange(6)):
                ids.append(f"id_{len(ids)}")
                records.end(emulator, ids[-1], chance.uniform(0, 20), **records.analyzed(False))
            for record_id in ids[: max(0, len(ids) - chance.randrange(4))]:
                records.of(emulator)[record_id] |= records.analyzed()

        def requests() -> int:
            return emulator.count() + len(airflow_api.seen)

        loop = asyncio.get_running_loop()
        for _ in range(20):
            end_some()
            later: list[asyncio.TimerHandle] = []

            def store_later(payload: dict[str, Any], later: Any = later) -> None:
                delay = chance.choice((0, 0.002, 0.01, 20))
                later.append(loop.call_later(delay, triggerer.store_event, payload))

            killed_at = requests() + chance.randrange(10)
            async with triggerer.run(on_payload=store_later, **arguments):
                await until(lambda killed_at=killed_at: requests() >= killed_at)
                await asyncio.sleep(chance.uniform(0, 0.005))
            for handle in later:
                handle.cancel()
        for record_id in ids:
            records.of(emulator)[record_id] |= records.analyzed()
        async with triggerer.run(**arguments):
            while len(triggerer.fired) < len(ids):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            await records.polls(emulator, 3)
        assert len(ids) > 15
        assert triggerer.fired == Counter(ids)


class TestRestart:
    @with_and_without_store
    def test_watcher_continues_after_a_long_time(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow, store: Any
    ) -> None:
        triggerer = Triggerer(records, airflow_api, store)
        records.end(emulator, "first", 5000)

        async def go() -> None:
            async with triggerer.run(lookback=6000, overlap=10) as watch:
                assert await watch.has(1) == ["first"]
            records.end(emulator, "meanwhile", 4000)
            # Events from others are newer, but do not contain this watcher's watermark.
            for index in range(250):
                summary = records.summary(f"hook_{index}", ago(5))
                airflow_api.add(records.payload("ended", summary))
            other = {**records.payload("ended"), "watcher": "retell-other", "since": ago(5)}
            airflow_api.add({"from_trigger": True, "payload": other})
            async with triggerer.run(lookback=0, overlap=10) as watch:
                assert await watch.has(1) == ["meanwhile"]
                await records.polls(emulator, 3)
                assert watch.ids == ["meanwhile"]

        asyncio.run(go())

    @pytest.mark.parametrize("option", [{}, OPTION], ids=["without", "with"])
    async def test_record_that_ends_before_the_first_event_fires_with_a_state_store(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow, option: dict[str, str]
    ) -> None:
        store = Store()
        async with records.watching(store, lookback=100, **option) as watch:
            await records.polls(emulator)
            assert watch.ids == []
        records.end(emulator, "meanwhile", 50)
        async with records.watching(store, lookback=0, **option) as watch:
            assert await watch.has(1) == ["meanwhile"]

    async def test_analysis_that_is_missing_at_the_restart_fires_later(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow
    ) -> None:
        triggerer = Triggerer(records, airflow_api)
        arguments = {"event": "analyzed", "overlap": 10}
        records.end(emulator, "late", 5000)
        for index in range(3):
            records.end(emulator, f"id_{index}", 100 * index, **records.analyzed())
        async with triggerer.run(**arguments, lookback=6000) as watch:
            await watch.has(3)
            await records.polls(emulator, 3)
        records.of(emulator)["late"] |= records.analyzed()
        async with triggerer.run(**arguments, lookback=0) as watch:
            assert await watch.has(1) == ["late"]
            await records.polls(emulator, 3)
            assert watch.ids == ["late"]

    def test_warning_if_events_of_others_hide_the_watchers_own(
        self, airflow_api: FakeAirflow, mocker: MockerFixture, caplog: pytest.LogCaptureFixture
    ) -> None:
        mocker.patch.object(asset_events_log, "_MAX_SEARCHED", 2)
        for _ in range(3):
            airflow_api.add({})
        log = AssetEventsLog("airflow_api", ASSET, "call_ended", "mine", None)
        assert asyncio.run(log.load()) is None
        assert f"The newest 2 events of asset '{ASSET}' are not of this watcher" in caplog.text

    async def test_no_warning_about_the_state_store_because_the_events_have_the_state(
        self, airflow_api: FakeAirflow, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Undecided:
            async def aget(self, _key: str) -> None:
                raise ValueError

        payload = {**CALLS.payload("ended"), "watcher": "mine", "since": 5}
        airflow_api.add({"from_trigger": True, "payload": payload})
        state = await AssetEventsLog("airflow_api", ASSET, "call_ended", "mine", Undecided()).load()
        assert state is not None
        assert state.since == 5
        assert "Several assets have equal watchers" not in caplog.text


class TestUnreadableEvents:
    @with_and_without_store
    @pytest.mark.parametrize("fault", ["500", "login", "refused", "asset", "order", "garbage"])
    @pytest.mark.usefixtures("whole_log")
    async def test_nothing_fires_until_the_events_can_be_read(
        self,
        records: Records,
        emulator: Emulator,
        airflow_api: FakeAirflow,
        store: Any,
        fault: str,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        triggerer = Triggerer(records, airflow_api, store)
        records.end(emulator, "id_1")
        for index in range(150):
            airflow_api.add(records.payload("started", records.summary(f"id_{index}")))

        def define(**fields: Any) -> None:
            login = {"login": "bot", "password": "password_of_bot"}
            connection = {"conn_type": "http", "host": airflow_api.url, **login, **fields}
            monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))

        def break_api() -> str:
            """Return a pattern of the reason in the log."""
            if fault == "500":
                airflow_api.answers = [("GET", 500)] * 1000
                return "Airflow's REST API answered 500 to GET /assets"
            if fault == "login":
                define(password="password_of_yesterday")
                return "Airflow's REST API answered 401 to POST /auth/token"
            if fault == "refused":
                define(host="http://127.0.0.1:1")
                return "ClientConnectorError"
            if fault == "asset":
                airflow_api.assets = {7: "other_retell_calls"}
                return f"no asset named '{ASSET}'"
            if fault == "order":
                airflow_api.mixed = 1000
                return "100 of 151 entries of /assets/events"
            airflow_api.garbage = True
            return "ContentTypeError"

        def repair_api() -> None:
            airflow_api.answers = []
            airflow_api.assets = {8: ASSET}
            airflow_api.mixed = 0
            airflow_api.garbage = False
            define()

        async with triggerer.run() as watch:
            await watch.has(1)
        reason = break_api()
        caplog.clear()
        async with triggerer.run(lookback=0) as watch:
            records.end(emulator, "id_2")
            while not re.search(reason, caplog.text):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)  # about three more polls, which the log leaves out
            assert len(re.findall(reason, caplog.text)) == 1
            assert watch.ids == []
            repair_api()
            assert await watch.has(1) == ["id_2"]
            await records.polls(emulator, 3)
            assert watch.ids == ["id_2"]
        assert f"The events of asset '{ASSET}' could not be read (connection 'airflow_api')" in caplog.text
        assert f"Trying again in about 0.03 s; no {records.noun} is lost" in caplog.text
        assert "password_of" not in caplog.text


class TestSync:
    def test_record_has_fired_no_matter_who_created_the_event(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow
    ) -> None:
        triggerer = Triggerer(records, airflow_api)
        for record_id in ("hooked", "hooked_without_end", "analyzed", "of_another_asset", "new"):
            records.end(emulator, record_id)

        def hook(record_id: str, event: str = "ended", asset_id: int = 8, end_timestamp: Any = 0) -> None:
            summary = records.summary(record_id, ago(10) if end_timestamp == 0 else end_timestamp)
            airflow_api.add(records.payload(event, summary), asset_id=asset_id)

        hook("hooked")
        hook("hooked_without_end", end_timestamp=None)
        hook("analyzed", event="analyzed")
        hook("of_another_asset", asset_id=7)
        # Malformed events of others are ignored.
        for extra in ({}, {"payload": "text"}, {"payload": records.payload("ended", "x")}):
            airflow_api.add(extra)
        hook("new", end_timestamp="yesterday")
        airflow_api.events[-1]["extra"] |= {"watcher": records.trigger()._key, "since": "yesterday"}

        async def go() -> None:
            async with triggerer.run() as watch:
                assert await watch.has(3) == ["analyzed", "new", "of_another_asset"]
                hook("while_it_runs")
                records.end(emulator, "while_it_runs")
                await records.polls(emulator, 3)
                assert len(watch.ids) == 3

        asyncio.run(go())

    @pytest.mark.parametrize("minutes", [-90, 50])
    async def test_retells_clock_may_be_behind_or_up_to_an_hour_ahead(
        self, records: Records, monkeypatch: pytest.MonkeyPatch, airflow_api: FakeAirflow, minutes: int
    ) -> None:
        triggerer = Triggerer(records, airflow_api)
        retells = Clock(start=time.time() + minutes * 60)
        with Emulator(quotas=None, clock=retells) as emulator, no_waiting(retells.advance):
            connect(monkeypatch, emulator, list_quota="100000/1")
            for run in range(2):
                async with triggerer.run(lookback=6000, overlap=0) as watch:
                    for count in (1, 2):
                        records.end(emulator, f"id_{run}_{count}", -minutes * 60)
                        await watch.has(count)
                        await records.polls(emulator, 3)
        assert triggerer.fired == {"id_0_1": 1, "id_0_2": 1, "id_1_1": 1, "id_1_2": 1}

    async def test_event_that_airflow_never_shows_is_logged_and_not_repeated(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow, caplog: pytest.LogCaptureFixture
    ) -> None:
        triggerer = Triggerer(records, airflow_api, Store)
        records.end(emulator, "id_1")
        async with triggerer.run(on_payload=lambda _payload: None) as watch:
            await watch.has(1)
            await records.polls(emulator, 3)
            assert "Airflow has no event" not in caplog.text
            clock().sleep(61)
            while "Airflow has no event" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            records.end(emulator, "id_2")
            assert await watch.has(2) == ["id_1", "id_2"]
            await records.polls(emulator, 3)
            assert len(watch.ids) == 2
        assert (
            f"Airflow has no event of asset '{ASSET}' for 1 {records.plural}, the first of them id_1"
            in caplog.text
        )
        assert triggerer.recorded == {}

    async def test_event_that_airflow_stores_late_is_found(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow
    ) -> None:
        triggerer = Triggerer(records, airflow_api, Store)
        payloads: list[dict[str, Any]] = []
        records.end(emulator, "id_1")
        async with triggerer.run(on_payload=payloads.append) as watch:
            await watch.has(1)
            airflow_api.add(records.payload("ended"))
            await records.polls(emulator, 3)
            # Its timestamp is older than that of other events, which Airflow stored earlier.
            airflow_api.add({"from_trigger": True, "payload": payloads[0]}, ago=300)
            while not triggerer.recorded:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert watch.ids == ["id_1"]

    async def test_asset_that_gets_a_new_id_is_found(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow, mocker: MockerFixture
    ) -> None:
        mocker.patch.object(airflow_api_client, "ASSET_SECONDS", 0.05)
        triggerer = Triggerer(records, airflow_api, Store)

        def store_event(payload: dict[str, Any]) -> None:
            airflow_api.add({"payload": payload}, max(airflow_api.assets))

        async with triggerer.run(on_payload=store_event) as watch:
            for asset_id in (8, 9, 10):
                airflow_api.assets = {asset_id: ASSET}
                records.end(emulator, f"id_{asset_id}")
                await watch.has(asset_id - 7)
                while len("".join(triggerer.recorded.values())) < 8 * (asset_id - 7):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

    async def test_events_are_read_only_if_a_record_is_new_or_pending(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow
    ) -> None:
        triggerer = Triggerer(records, airflow_api)
        records.end(emulator, "other", agent_id="agent_2")
        async with triggerer.run(agent_ids=["agent_1"]) as watch:
            await records.polls(emulator, 2)
            airflow_api.seen.clear()
            await records.polls(emulator, 5)
            assert airflow_api.seen == []
            records.end(emulator, "id_1", agent_id="agent_1")
            await watch.has(1)
            await records.polls(emulator, 3)
            airflow_api.seen.clear()
            await records.polls(emulator, 5)
            assert airflow_api.seen == []


class TestArguments:
    @pytest.mark.parametrize(
        ("records", "filters"),
        [
            (CALLS, {"call_type": None, "direction": None, "overlap": 900}),
            (CHATS, {"chat_type": None, "overlap": 7200}),
        ],
        ids=["call", "chat"],
    )
    def test_without_the_option_the_arguments_do_not_contain_it(
        self, records: Records, filters: dict[str, Any]
    ) -> None:
        assert records.trigger().serialize()[1] == {
            "retell_conn_id": "retell_default",
            "event": "ended",
            "agent_ids": None,
            "poll_interval": 30,
            "lookback": 600,
            **filters,
        }

    def test_option_does_not_change_the_key_of_the_state(self, records: Records) -> None:
        trigger = records.trigger(**OPTION)
        path, arguments = trigger.serialize()
        assert records.trigger(**json.loads(json.dumps(arguments))).serialize() == (path, arguments)
        assert {name: arguments[name] for name in OPTION} == OPTION
        assert trigger._key == records.trigger()._key

    def test_keys_of_stored_states_stay_the_same(self) -> None:
        assert CallEventTrigger()._key == "retell-d691dfd5faf963e96397a2a8"
        assert ChatEventTrigger()._key == "retell-6fa54242dcb1c1b2a4b6d217"

    @pytest.mark.parametrize("name", OPTION)
    def test_half_of_the_option_fails_when_the_dag_is_read(self, records: Records, name: str) -> None:
        with pytest.raises(ValueError, match="airflow_conn_id and asset_name must be set together"):
            records.trigger(**{name: OPTION[name]})

    async def test_payload_has_the_watcher_and_its_watermark_only_with_the_option(
        self, records: Records, emulator: Emulator, airflow_api: FakeAirflow
    ) -> None:
        records.end(emulator, "id_1")
        payloads: list[dict[str, Any]] = []
        for option in ({}, OPTION):
            async with records.watching(None, payloads.append, **option) as watch:
                await watch.has(1)
        assert [sorted(payload) for payload in payloads] == [
            sorted(["event", records.plural]),
            sorted(["event", "since", "watcher", records.plural]),
        ]
