"""What ends a wait, what does not, and what is left of it."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import RetellError, WaitFailedError, WaitTimeoutError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.hooks import shared
from airflow_provider_retell.hooks.retell import RetellAsyncHook
from airflow_provider_retell.triggers import base as poll
from airflow_provider_retell.triggers.base import PollTrigger
from airflow_provider_retell.triggers.call import BatchCallTrigger, CallTrigger
from airflow_provider_retell.triggers.call_events.ended_calls import shared_poll
from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger
from airflow_provider_retell.waiting.event import check_event

if TYPE_CHECKING:
    from collections.abc import Callable

BROKEN = {"x-should-retry": "false"}  # one attempt per poll


@pytest.fixture
def call(tools: Any) -> Callable[..., CallTrigger]:
    def make(
        call_id: str = "call_1", until: Any = "ended", stop_on_kill: bool = False, **more: Any
    ) -> CallTrigger:
        return CallTrigger(call_id=call_id, until=until, stop_on_kill=stop_on_kill, **tools.common(**more))

    return make


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What triggers logged: through ``logging`` on Airflow 2, to the standard streams on Airflow 3."""
    return lambda: caplog.text + "".join(capfd.readouterr())


# -- what ends a wait


@pytest.mark.parametrize("status", ["ended", "error", "not_connected"])
def test_every_way_to_end_ends_it_and_no_other(
    emulator: Emulator, tools: Any, call: Any, status: str
) -> None:
    async def go() -> list[Any]:
        run = asyncio.ensure_future(tools.events(call()))
        for going_on in ("registered", "ongoing", "paused_by_a_later_retell"):
            emulator.calls["call_1"]["call_status"] = going_on
            seen = emulator.count("get-call")
            await tools.until(lambda seen=seen: emulator.count("get-call") >= seen + 2)
        assert not run.done()
        emulator.calls["call_1"]["call_status"] = status
        return await asyncio.wait_for(run, 5)

    assert asyncio.run(go()) == [{"status": "done", "call_id": "call_1", "call_status": status}]


def test_an_analysis_is_waited_for_beyond_the_end(connect: Any, tools: Any, call: Any) -> None:
    with Emulator(
        quotas=None, clock=Clock(frozen=True), lifecycle=Lifecycle(talk=60, analyze=30)
    ) as emulator:
        connect(emulator, quota="9999/1")
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)

        async def go() -> list[Any]:
            run = asyncio.ensure_future(tools.events(call(until="analyzed")))
            for status, seconds in (("ongoing", 60), ("ended", 30)):
                assert emulator.calls["call_1"]["call_status"] == status
                seen = emulator.count("get-call")
                await tools.until(lambda seen=seen: emulator.count("get-call") >= seen + 2)
                assert not run.done()
                emulator.clock.advance(seconds)
            return await asyncio.wait_for(run, 5)

        assert asyncio.run(go()) == [{"status": "done", "call_id": "call_1", "call_status": "ended"}]


def test_a_batch_ends_when_all_its_calls_have(emulator: Emulator, tools: Any) -> None:
    for number in range(3):
        emulator.add_call(call_id=f"b_{number}", call_status="ongoing", batch_call_id="batch_1")
    emulator.add_call(call_id="other", call_status="ended", batch_call_id="batch_2")
    trigger = BatchCallTrigger(batch_call_id="batch_1", total=3, **tools.common(poll_interval=0.1))

    async def go() -> list[Any]:
        run = asyncio.ensure_future(tools.events(trigger))
        for number, status in enumerate(("ended", "not_connected", "error")):
            seen = emulator.count("list-calls")
            await tools.until(lambda seen=seen: emulator.count("list-calls") >= seen + 1)
            assert not run.done()
            emulator.calls[f"b_{number}"]["call_status"] = status
        return await asyncio.wait_for(run, 5)

    assert asyncio.run(go()) == [{"status": "done", "batch_call_id": "batch_1", "ended": 3}]


def test_room_is_waited_for(connect: Any, tools: Any) -> None:
    with Emulator(quotas=None, concurrency=3) as emulator:
        connect(emulator, quota="9999/1")
        for number in range(2):
            emulator.add_call(call_id=f"call_{number}", call_status="ongoing")

        async def go() -> list[Any]:
            run = asyncio.ensure_future(tools.events(ConcurrencyTrigger(calls=2, **tools.common())))
            await tools.until(lambda: emulator.count() >= 3)
            assert not run.done()
            emulator.calls["call_0"]["call_status"] = "ended"
            return await asyncio.wait_for(run, 5)

        assert asyncio.run(go()) == [{"status": "done", "room": 2}]


# -- failures


def test_so_many_failures_in_a_row_are_tolerated(emulator: Emulator, tools: Any, call: Any) -> None:
    emulator.faults.add(Fault.status(500, headers=BROKEN), times=3)
    emulator.faults.add(Fault.status(500, headers=BROKEN), times=3, after=1)  # one good poll between
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ended"}), after=1)
    [event] = asyncio.run(tools.events(call(max_poll_failures=3)))
    assert event["status"] == "done"
    assert [request.status for request in emulator.requests] == [500, 500, 500, 200, 500, 500, 500, 200]


def test_one_more_ends_the_wait_with_the_reason(emulator: Emulator, tools: Any, call: Any) -> None:
    emulator.faults.add(Fault.status(500, headers=BROKEN), times=0)
    [event] = asyncio.run(tools.events(call(max_poll_failures=3)))
    assert (event["status"], event["permanent"]) == ("error", False)
    for part in ("call call_1 was to be ended", "4 polls in a row failed", "Retell answered 500"):
        assert part in event["message"]
    assert emulator.count("get-call") == 4
    with pytest.raises(RetellError) as error:
        check_event(event)
    assert not error.value.permanent


def test_being_throttled_is_no_failure(emulator: Emulator, tools: Any, call: Any) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "0.01"}), times=12)
    emulator.calls["call_1"]["call_status"] = "ended"
    [event] = asyncio.run(tools.events(call(max_poll_failures=1)))
    assert event["status"] == "done"
    assert emulator.count("get-call") == 13


def test_waits_outlive_the_key_that_they_began_with(
    emulator: Emulator, connect: Any, tools: Any, call: Any
) -> None:
    emulator.add_call(call_id="call_2", call_status="ongoing")
    emulator.add_key("key_new")

    async def polled(times: int) -> None:
        seen = emulator.count("get-call")
        await tools.until(lambda: emulator.count("get-call") >= seen + times)

    async def go() -> list[Any]:
        before = asyncio.ensure_future(tools.events(call()))
        await polled(2)
        connect(emulator, "key_new", quota="9999/1")
        after = asyncio.ensure_future(tools.events(call("call_2")))
        await polled(5)
        emulator.revoke_key(emulator.api_key)
        assert await shared_poll("retell_default", 0, 0) == []  # what a watcher of call events does
        await polled(5)
        assert [before.done(), after.done()] == [False, False]
        for ended in ("call_1", "call_2"):
            emulator.calls[ended]["call_status"] = "ended"
        return await asyncio.wait_for(asyncio.gather(before, after), 5)

    first, second = asyncio.run(go())
    assert [event["status"] for event in first + second] == ["done", "done"]


@pytest.mark.parametrize("status", [401, 402, 403, 404, 422])
def test_what_cannot_get_better_fails_at_once(emulator: Emulator, tools: Any, call: Any, status: int) -> None:
    emulator.faults.add(Fault.status(status), times=0)
    [event] = asyncio.run(tools.events(call()))
    assert (event["status"], event["permanent"]) == ("error", True)
    assert f"Retell answered {status}" in event["message"]
    assert emulator.count("get-call") == 1
    with pytest.raises(WaitFailedError):
        check_event(event)


def test_a_connection_without_a_key_fails_at_once(
    emulator: Emulator, connect: Any, tools: Any, call: Any
) -> None:
    connect(emulator, password="")
    [event] = asyncio.run(tools.events(call()))
    assert event["permanent"]
    assert "no API key" in event["message"]


def test_a_connection_that_is_missing_is_looked_for_again(tools: Any, call: Any) -> None:
    """A secrets back end that is down for a moment says the same."""
    [event] = asyncio.run(tools.events(call(retell_conn_id="no_such", max_poll_failures=2)))
    assert (event["status"], event["permanent"]) == ("error", False)
    assert "3 polls in a row failed" in event["message"]
    assert "no_such" in event["message"]


class Faulty(PollTrigger):
    """Meets an error of no expected kind."""

    def waits_for(self) -> str:
        return "nothing"

    async def check(self, hook: Any) -> Any:
        raise KeyError("the transcript")


def test_an_error_of_an_unexpected_kind_is_one_event_too(emulator: Emulator, tools: Any, logged: Any) -> None:
    trigger = Faulty(**tools.common(max_poll_failures=1))

    async def go() -> list[Any]:
        return [event.payload async for event in trigger.run()]

    [event] = asyncio.run(go())
    assert (event["status"], event["permanent"]) == ("error", False)
    assert "KeyError" in event["message"]
    assert "transcript" not in event["message"] + logged()


# -- time


def test_the_deadline_is_wall_clock_and_survives_a_restart(emulator: Emulator, tools: Any, call: Any) -> None:
    deadline = time.time() + 1.2
    first = call(deadline=deadline)

    async def half() -> None:
        run = asyncio.ensure_future(tools.events(first))
        await tools.until(lambda: emulator.count("get-call") >= 2)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    asyncio.run(half())
    [event] = asyncio.run(tools.events(first))  # another triggerer, from the row
    assert deadline <= time.time() < deadline + 1
    assert event == {"status": "timeout", "message": "Timed out: call call_1 was to be ended"}
    with pytest.raises(WaitTimeoutError, match="call_1"):
        check_event(event)


@pytest.mark.parametrize(("status", "outcome"), [("ongoing", "timeout"), ("ended", "done")])
def test_after_the_deadline_there_is_one_last_look(
    emulator: Emulator, tools: Any, call: Any, status: str, outcome: str
) -> None:
    """A triggerer that was down over the deadline does not report a timeout of what has happened."""
    emulator.calls["call_1"]["call_status"] = status
    [event] = asyncio.run(tools.events(call(deadline=time.time() - 100, poll_interval=60)))
    assert event["status"] == outcome
    assert emulator.count("get-call") == 1


def test_a_server_that_hangs_does_not_hold_the_deadline_up(
    emulator: Emulator, tools: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll, "_LAST_LOOK_SECONDS", 0.2)
    emulator.faults.add(Fault.hang(), times=0)
    deadline = time.time() + 0.3
    [event] = asyncio.run(tools.events(call(deadline=deadline)))
    assert event["status"] == "timeout"
    assert deadline <= time.time() < deadline + 2


def test_the_wait_sleeps_no_longer_than_it_says(
    emulator: Emulator, tools: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(poll.asyncio, "sleep", note)
    monkeypatch.setattr(shared, "POLL_RETRY", RetryLimits(attempts=1))  # the hook itself never sleeps
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ended"}), after=50)
    asyncio.run(tools.events(call(poll_interval=10)))
    first, *others = [seconds for seconds in slept if seconds > 0]
    assert first <= 10
    assert len(others) == 50
    assert all(9 <= seconds <= 11 for seconds in others)


# -- rows


TRIGGERS = [
    (CallTrigger, {"call_id": "call_1", "until": "analyzed", "stop_on_kill": True}),
    (BatchCallTrigger, {"batch_call_id": "batch_1", "total": 7}),
    (ConcurrencyTrigger, {"calls": 3}),
]
COMMON = {
    "retell_conn_id": "some_conn",
    "poll_interval": 12.5,
    "deadline": 1800000000.25,
    "max_poll_failures": 4,
}


@pytest.mark.parametrize(("kind", "own"), TRIGGERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_row_is_the_constructors_arguments_and_nothing_else(
    kind: Any, own: dict[str, Any], tools: Any
) -> None:
    trigger = kind(**COMMON, **own)
    path, arguments = trigger.serialize()
    assert path == f"airflow_provider_retell.triggers.call.{kind.__name__}"
    assert arguments == COMMON | own  # ids and numbers: nothing secret, nobody's number
    assert json.loads(json.dumps(arguments)) == arguments
    assert tools.restored(trigger).serialize() == (path, arguments)
    names = {
        name
        for base in (kind, PollTrigger)
        for name, parameter in inspect.signature(base.__init__).parameters.items()
        if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
    }
    assert names == set(arguments)


@pytest.mark.parametrize(("kind", "own"), TRIGGERS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_sdks_own_serialization_takes_the_row(kind: Any, own: dict[str, Any]) -> None:
    serde = pytest.importorskip("airflow.sdk.serde", reason="3.2")
    arguments = kind(**COMMON, **own).serialize()[1]
    assert serde.deserialize(json.loads(json.dumps(serde.serialize(arguments)))) == arguments


def test_the_row_of_an_earlier_version_still_makes_a_trigger() -> None:
    CallTrigger(retell_conn_id="some_conn", poll_interval=1, deadline=1.0, call_id="call_1")


# -- leaving


@pytest.mark.parametrize("moment", ["asleep", "asking", "opening"])
def test_a_cancelled_wait_leaves_nothing(
    emulator: Emulator, tools: Any, call: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    sent: list[Any] = []
    opened: list[RetellAsyncHook] = []
    enter = RetellAsyncHook.__aenter__

    async def noted(hook: RetellAsyncHook) -> RetellAsyncHook:
        opened.append(hook)
        if moment == "opening":
            await asyncio.Event().wait()
        return await enter(hook)

    monkeypatch.setattr(RetellAsyncHook, "__aenter__", noted)
    if moment == "asking":
        emulator.faults.add(Fault.hang(), times=0)

    async def go() -> None:
        trigger = call(poll_interval=0.02 if moment != "asleep" else 0.2)

        async def run() -> None:
            async for event in trigger.run():
                sent.append(event)

        task = asyncio.ensure_future(run())
        await tools.until(lambda: bool(opened) and (moment == "opening" or emulator.count() > 0))
        if moment == "asleep":
            await tools.until(lambda: emulator.count("get-call", status=200) > 0)
            await asyncio.sleep(0.02)  # the answer is on its way
        session = opened[0]._session
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert shared._shared == {}
        assert opened[0]._session is None
        assert session is None or session.closed
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(go())
    assert sent == []


def test_nothing_is_left_when_the_event_is_there(emulator: Emulator, call: Any) -> None:
    """Airflow may drop the generator as soon as it has the event."""
    emulator.calls["call_1"]["call_status"] = "ended"

    async def go() -> None:
        async for _event in call().run():
            assert shared._shared == {}
            break

    asyncio.run(go())


@pytest.mark.parametrize("stop_on_kill", [False, True])
def test_a_kill_hangs_up_only_if_that_was_asked_for(
    emulator: Emulator, call: Any, tools: Any, stop_on_kill: bool
) -> None:
    async def go() -> None:
        trigger = tools.restored(call(stop_on_kill=stop_on_kill))
        task = asyncio.ensure_future(anext(trigger.run()))  # type: ignore[arg-type]
        await tools.until(lambda: emulator.count("get-call") > 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await trigger.on_kill()

    asyncio.run(go())
    assert emulator.calls["call_1"]["call_status"] == ("ended" if stop_on_kill else "ongoing")
    assert emulator.count("stop-call") == int(stop_on_kill)


def test_a_kill_of_a_call_that_is_over_is_no_error(emulator: Emulator, call: Any, logged: Any) -> None:
    asyncio.run(call(call_id="call_gone", stop_on_kill=True).on_kill())
    assert "call_gone could not be stopped" in logged()


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": None}])
def test_an_event_of_another_kind_fails_for_good(event: Any) -> None:
    with pytest.raises(WaitFailedError, match="does not know"):
        check_event(event)


@pytest.mark.parametrize("status", ["timeout", "error"])
def test_an_event_may_lack_what_another_version_did_not_send(status: str) -> None:
    with pytest.raises(RetellError):
        check_event({"status": status})


def test_waits_without_a_call_in_common_share_one_look_up(
    emulator: Emulator, call: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    enter = RetellAsyncHook.__aenter__

    async def failing(hook: RetellAsyncHook) -> RetellAsyncHook:
        looked.append(hook.retell_conn_id)
        await asyncio.sleep(0.05)
        if len(looked) == 1:
            raise OSError("the secrets back end is away")
        return await enter(hook)

    monkeypatch.setattr(RetellAsyncHook, "__aenter__", failing)
    emulator.calls["call_1"]["call_status"] = "ended"

    async def go() -> list[Any]:
        return await asyncio.gather(*(tools.events(call(poll_interval=0.01)) for _ in range(50)))

    assert [event["status"] for [event] in asyncio.run(go())] == ["done"] * 50
    assert len(looked) == 2
