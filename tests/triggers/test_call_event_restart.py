"""CallEventTrigger with the asset's events at hand: killed at any moment, each call has exactly one."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator

pytest.importorskip("airflow.sdk", reason="needs Airflow 3")

from fake_airflow import ASSET
from watching import Store, Watch, ago, connect, end, polls, watching

from airflow_provider_retell.hooks import airflow_api as airflow_api_client
from airflow_provider_retell.triggers.call_event import CallEventTrigger
from airflow_provider_retell.triggers.call_events import fired_calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fake_airflow import FakeAirflow
    from pytest_mock import MockerFixture

OPTION = {"airflow_conn_id": "airflow_api", "asset_name": ASSET}

# On Airflow 3.3 and later a watcher has a state store as well.
with_and_without_store = pytest.mark.parametrize("store", [None, Store], ids=["3.0", "3.3"])


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Any:
    with Emulator(quotas=None) as emulator:
        connect(monkeypatch, emulator)
        yield emulator


class Triggerer:
    """What is left of an Airflow when its triggerer is killed: the database."""

    def __init__(self, api: FakeAirflow, store: type[Store] | None = None) -> None:
        self.api = api
        self.store = store and store()

    def stores(self, payload: dict[str, Any]) -> None:
        self.api.add({"from_trigger": True, "payload": payload})

    @asynccontextmanager
    async def runs(
        self, stores: Callable[[dict[str, Any]], None] | None = None, **arguments: Any
    ) -> AsyncIterator[Watch]:
        arguments = {**OPTION, "lookback": 600, **arguments}
        async with watching(self.store, stores or self.stores, **arguments) as watch:
            yield watch

    @property
    def fired(self) -> Counter[str]:
        payloads = [event["extra"].get("payload", event["extra"]) for event in self.api.events]
        return Counter(call["call_id"] for payload in payloads for call in payload.get("calls", ()))

    @property
    def noted(self) -> dict[str, Any]:
        (standing,) = self.store.values.values() if self.store else ('{"fired": {}}',)
        fired: dict[str, Any] = json.loads(standing)["fired"]
        return fired


@with_and_without_store
def test_killed_between_the_stored_event_and_the_note(
    emulator: Emulator, airflow_api: FakeAirflow, store: Any
) -> None:
    triggerer = Triggerer(airflow_api, store)
    end(emulator, "call_1")

    async def go() -> None:
        async with triggerer.runs() as watch:
            await watch.has(1)
            assert triggerer.fired == {"call_1": 1}
            assert triggerer.noted == {}
        async with triggerer.runs() as watch:
            await polls(emulator, 3)
            assert watch.ids == []
            end(emulator, "call_2")
            assert await watch.has(1) == ["call_2"]

    asyncio.run(go())
    assert triggerer.fired == {"call_1": 1, "call_2": 1}


@with_and_without_store
def test_killed_before_the_event_is_stored(emulator: Emulator, airflow_api: FakeAirflow, store: Any) -> None:
    triggerer = Triggerer(airflow_api, store)
    end(emulator, "call_1")

    async def go() -> None:
        async with triggerer.runs(stores=lambda _payload: None) as watch:
            await watch.has(1)
            await polls(emulator, 5)  # however long Airflow takes to store it
            assert watch.ids == ["call_1"]
            assert triggerer.noted == {}
        async with triggerer.runs() as watch:
            assert await watch.has(1) == ["call_1"]
            await polls(emulator, 3)

    asyncio.run(go())
    assert triggerer.fired == {"call_1": 1}
    assert triggerer.noted or not store


@with_and_without_store
@pytest.mark.parametrize("event", ["ended", "analyzed"])
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment(
    emulator: Emulator,
    airflow_api: FakeAirflow,
    store: Any,
    event: str,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from airflow_provider_retell.triggers import call_event

    monkeypatch.setattr(call_event, "_BATCH", 3)
    chance = random.Random(seed)
    triggerer = Triggerer(airflow_api, store)
    calls: list[str] = []

    def some_end() -> None:
        for _ in range(chance.randrange(6)):
            calls.append(f"call_{len(calls)}")
            end(emulator, calls[-1], chance.uniform(0, 20), call_analysis=None)
        for call_id in calls[: max(0, len(calls) - chance.randrange(4))]:
            emulator.calls[call_id]["call_analysis"] = {"call_summary": "text"}

    async def go() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(25):
            some_end()
            later: list[asyncio.TimerHandle] = []
            async with triggerer.runs(
                stores=lambda payload, later=later: later.append(  # type: ignore[misc]
                    loop.call_later(chance.choice((0, 0.003, 0.02)), triggerer.stores, payload)
                ),
                event=event,
                poll_interval=0.01,
                lookback=60,
                overlap=30,
            ):
                await asyncio.sleep(chance.uniform(0, 0.12))
            for handle in later:
                handle.cancel()
        for call_id in calls:
            emulator.calls[call_id]["call_analysis"] = {"call_summary": "text"}
        async with triggerer.runs(event=event, poll_interval=0.01, lookback=60, overlap=30):
            while len(triggerer.fired) < len(calls):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await polls(emulator, 3)

    asyncio.run(asyncio.wait_for(go(), 60))
    assert len(calls) > 30
    assert triggerer.fired == Counter(calls)


@with_and_without_store
def test_it_goes_on_where_it_stood_however_long_it_was_gone(
    emulator: Emulator, airflow_api: FakeAirflow, store: Any
) -> None:
    triggerer = Triggerer(airflow_api, store)
    end(emulator, "first", 5000)

    async def go() -> None:
        async with triggerer.runs(lookback=6000, overlap=10) as watch:
            assert await watch.has(1) == ["first"]
        end(emulator, "meanwhile", 4000)
        # Events of others are newer, but say nothing of where this one stands.
        for index in range(250):
            call = {"call_id": f"hook_{index}", "end_timestamp": ago(5)}
            airflow_api.add({"event": "call_ended", "calls": [call]})
        other = {"event": "call_ended", "calls": [], "watcher": "retell-other", "since": ago(5)}
        airflow_api.add({"from_trigger": True, "payload": other})
        async with triggerer.runs(lookback=0, overlap=10) as watch:
            assert await watch.has(1) == ["meanwhile"]
            await polls(emulator, 3)
            assert watch.ids == ["meanwhile"]

    asyncio.run(go())


@pytest.mark.parametrize("option", [{}, OPTION], ids=["without", "with"])
def test_what_ends_before_its_first_event_is_not_missed_with_a_store(
    emulator: Emulator, airflow_api: FakeAirflow, option: dict[str, str]
) -> None:
    store = Store()

    async def go() -> None:
        async with watching(store, lookback=100, **option) as watch:
            await polls(emulator)
            assert watch.ids == []
        end(emulator, "meanwhile", 50)
        async with watching(store, lookback=0, **option) as watch:
            assert await watch.has(1) == ["meanwhile"]

    asyncio.run(go())


def test_an_analysis_that_was_waited_for_before_the_restart(
    emulator: Emulator, airflow_api: FakeAirflow
) -> None:
    triggerer = Triggerer(airflow_api)
    arguments = {"event": "analyzed", "overlap": 10, "lookback": 6000}
    end(emulator, "late", 5000)
    for index in range(3):
        end(emulator, f"call_{index}", 100 * index, call_analysis={"call_summary": "text"})

    async def go() -> None:
        async with triggerer.runs(**arguments) as watch:
            await watch.has(3)
            await polls(emulator, 3)
        emulator.calls["late"]["call_analysis"] = {"call_summary": "text"}
        async with triggerer.runs(**{**arguments, "lookback": 0}) as watch:
            assert await watch.has(1) == ["late"]
            await polls(emulator, 3)
            assert watch.ids == ["late"]

    asyncio.run(go())


@with_and_without_store
@pytest.mark.parametrize("fault", ["500", "login", "refused", "asset", "order", "garbage"])
def test_nothing_fires_while_the_events_cannot_be_read(
    emulator: Emulator,
    airflow_api: FakeAirflow,
    store: Any,
    fault: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    triggerer = Triggerer(airflow_api, store)
    end(emulator, "call_1")
    for index in range(150):
        airflow_api.add({"event": "call_started", "calls": [{"call_id": f"call_{index}"}]})

    def connection(**fields: Any) -> None:
        known = {"conn_type": "http", "host": airflow_api.url, "login": "bot", "password": "password_of_bot"}
        monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps({**known, **fields}))

    def break_() -> str:
        if fault == "500":
            airflow_api.answers = [("GET", 500)] * 1000
            return "Airflow's REST API answered 500 to GET /assets"
        if fault == "login":
            connection(password="password_of_yesterday")
            return "Airflow's REST API answered 401 to POST /auth/token"
        if fault == "refused":
            connection(host="http://127.0.0.1:1")
            return "ClientConnectorError"
        if fault == "asset":
            airflow_api.assets = {7: "other_retell_calls"}
            return f"Airflow knows no asset named '{ASSET}': a DAG must use it"
        if fault == "order":
            airflow_api.mixed = 1000
            return "Airflow's REST API gave 100 of 151 entries of /assets/events"
        airflow_api.garbage = True
        return "ContentTypeError"

    def mend() -> None:
        airflow_api.answers = []
        airflow_api.assets = {8: ASSET}
        airflow_api.mixed = 0
        airflow_api.garbage = False
        connection()

    async def go() -> None:
        async with triggerer.runs() as watch:
            await watch.has(1)
        said = break_()
        caplog.clear()
        async with triggerer.runs(lookback=0) as watch:
            end(emulator, "call_2")
            while caplog.text.count(said) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert watch.ids == []
            mend()
            assert await watch.has(1) == ["call_2"]
            await polls(emulator, 3)
            assert watch.ids == ["call_2"]

    asyncio.run(asyncio.wait_for(go(), 30))
    assert f"The events of asset '{ASSET}' could not be read (connection 'airflow_api')" in caplog.text
    assert "password_of" not in caplog.text


def test_whoever_made_the_event_the_call_has_fired(emulator: Emulator, airflow_api: FakeAirflow) -> None:
    triggerer = Triggerer(airflow_api)
    for call_id in ("hooked", "hooked_without_end", "analyzed", "of_another_asset", "new"):
        end(emulator, call_id)

    def hook(call_id: str, event: str = "call_ended", asset_id: int = 8, end_timestamp: Any = 0) -> None:
        call = {"call_id": call_id, "end_timestamp": ago(10) if end_timestamp == 0 else end_timestamp}
        airflow_api.add({"event": event, "calls": [call]}, asset_id=asset_id)

    hook("hooked")
    hook("hooked_without_end", end_timestamp=None)
    hook("analyzed", event="call_analyzed")
    hook("of_another_asset", asset_id=7)
    # What others write into events of the asset is no trouble.
    for extra in ({}, {"payload": "text"}, {"payload": {"event": "call_ended", "calls": ["x"]}}):
        airflow_api.add(extra)
    hook("new", end_timestamp="yesterday")
    airflow_api.events[-1]["extra"] |= {"watcher": CallEventTrigger()._key, "since": "yesterday"}

    async def go() -> None:
        async with triggerer.runs() as watch:
            assert await watch.has(3) == ["analyzed", "new", "of_another_asset"]
            hook("while_it_runs")
            end(emulator, "while_it_runs")
            await polls(emulator, 3)
            assert len(watch.ids) == 3

    asyncio.run(go())


@pytest.mark.parametrize("minutes", [-90, 50])
def test_retells_clock_may_be_behind_or_a_little_ahead(
    monkeypatch: pytest.MonkeyPatch, airflow_api: FakeAirflow, minutes: int
) -> None:
    triggerer = Triggerer(airflow_api)
    clock = Clock(start=time.time() + minutes * 60)
    with Emulator(quotas=None, clock=clock) as emulator:
        connect(monkeypatch, emulator)

        async def go() -> None:
            for run in range(2):
                async with triggerer.runs(lookback=6000, overlap=0) as watch:
                    for count in (1, 2):
                        end(emulator, f"call_{run}_{count}", -minutes * 60)
                        await watch.has(count)
                        await polls(emulator, 3)

        asyncio.run(go())
    assert triggerer.fired == {"call_0_1": 1, "call_0_2": 1, "call_1_1": 1, "call_1_2": 1}


def test_a_call_from_the_future_hides_no_other(emulator: Emulator, airflow_api: FakeAirflow) -> None:
    triggerer = Triggerer(airflow_api)
    end(emulator, "future", -365 * 24 * 3600)

    async def go() -> None:
        async with triggerer.runs(overlap=60) as watch:
            await watch.has(1)
        end(emulator, "now", 1)
        async with triggerer.runs(overlap=60) as watch:
            assert await watch.has(1) == ["now"]
            await polls(emulator, 3)

    asyncio.run(go())
    assert triggerer.fired == {"future": 1, "now": 1}


def test_a_watcher_that_does_not_find_its_own_events_starts_with_its_lookback(
    emulator: Emulator, airflow_api: FakeAirflow, mocker: MockerFixture, caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(fired_calls, "_MOST_SEARCHED", 1)
    airflow_api.add({"event": "call_ended", "calls": []})
    end(emulator, "call_1")

    async def go() -> None:
        async with Triggerer(airflow_api).runs(lookback=600) as watch:
            assert await watch.has(1) == ["call_1"]

    asyncio.run(asyncio.wait_for(go(), 20))
    assert f"events of asset '{ASSET}' are not of this watcher" in caplog.text


def test_an_event_that_airflow_never_shows_is_complained_of_and_not_repeated(
    emulator: Emulator,
    airflow_api: FakeAirflow,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(fired_calls, "_SLOW_SECONDS", 0.2)
    triggerer = Triggerer(airflow_api, Store)
    end(emulator, "call_1")

    async def go() -> None:
        async with triggerer.runs(stores=lambda _payload: None) as watch:
            while "Airflow has no event" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            end(emulator, "call_2")
            assert await watch.has(2) == ["call_1", "call_2"]
            await polls(emulator, 3)
            assert len(watch.ids) == 2

    asyncio.run(asyncio.wait_for(go(), 20))
    assert f"Airflow has no event of asset '{ASSET}' for 1 calls, the first of them call_1" in caplog.text
    assert triggerer.noted == {}


def test_an_event_that_is_long_in_being_stored_is_found(
    emulator: Emulator, airflow_api: FakeAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggerer = Triggerer(airflow_api, Store)
    payloads: list[dict[str, Any]] = []
    end(emulator, "call_1")

    async def go() -> None:
        async with triggerer.runs(stores=payloads.append) as watch:
            await watch.has(1)
            airflow_api.add({"event": "call_ended", "calls": []})
            await polls(emulator, 3)
            # Its time is that of its making, and others were stored since.
            airflow_api.add({"from_trigger": True, "payload": payloads[0]}, ago=300)
            while not triggerer.noted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert watch.ids == ["call_1"]

    asyncio.run(asyncio.wait_for(go(), 20))


def test_an_asset_that_is_made_anew_is_found(
    emulator: Emulator, airflow_api: FakeAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_api_client, "ASSET_SECONDS", 0.1)
    triggerer = Triggerer(airflow_api, Store)

    async def go() -> None:
        async with triggerer.runs(
            stores=lambda payload: airflow_api.add({"payload": payload}, max(airflow_api.assets))
        ) as watch:
            for asset_id in (8, 9, 10):
                airflow_api.assets = {asset_id: ASSET}
                end(emulator, f"call_{asset_id}")
                await watch.has(asset_id - 7)
                while len("".join(triggerer.noted.values())) < 8 * (asset_id - 7):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(go(), 20))


def test_it_asks_only_when_there_is_something_to_know(emulator: Emulator, airflow_api: FakeAirflow) -> None:
    triggerer = Triggerer(airflow_api)
    end(emulator, "other", agent_id="agent_2")

    async def go() -> None:
        async with triggerer.runs(agent_ids=["agent_1"]) as watch:
            await polls(emulator, 2)
            airflow_api.seen.clear()
            await polls(emulator, 5)
            assert airflow_api.seen == []
            end(emulator, "call_1", agent_id="agent_1")
            await watch.has(1)
            await polls(emulator, 3)
            airflow_api.seen.clear()
            await polls(emulator, 5)
            assert airflow_api.seen == []

    asyncio.run(go())


class TestArguments:
    def test_without_the_option_nothing_is_other_than_before(self) -> None:
        assert CallEventTrigger().serialize()[1] == {
            "retell_conn_id": "retell_default",
            "event": "ended",
            "agent_ids": None,
            "call_type": None,
            "direction": None,
            "poll_interval": 30,
            "overlap": 900,
            "lookback": 600,
        }

    def test_with_it_the_place_is_the_same(self) -> None:
        trigger = CallEventTrigger(**OPTION)
        path, arguments = trigger.serialize()
        assert CallEventTrigger(**json.loads(json.dumps(arguments))).serialize() == (path, arguments)
        assert {name: arguments[name] for name in OPTION} == OPTION
        assert trigger._key == CallEventTrigger()._key == "retell-d691dfd5faf963e96397a2a8"

    @pytest.mark.parametrize("name", OPTION)
    def test_one_without_the_other_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="airflow_conn_id and asset_name go together"):
            CallEventTrigger(**{name: OPTION[name]})

    def test_the_payload_has_its_mark_only_with_it(
        self, emulator: Emulator, airflow_api: FakeAirflow
    ) -> None:
        end(emulator, "call_1")
        payloads: list[dict[str, Any]] = []

        async def go() -> None:
            for option in ({}, OPTION):
                async with watching(None, payloads.append, **option) as watch:
                    await watch.has(1)

        asyncio.run(go())
        assert [sorted(payload) for payload in payloads] == [
            ["calls", "event"],
            ["calls", "event", "since", "watcher"],
        ]
