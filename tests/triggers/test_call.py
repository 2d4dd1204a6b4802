"""CallTrigger, BatchCallTrigger, ConcurrencyTrigger: the conditions, and hanging up when the task is killed."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from tasks import connect
from waits import common, payloads, stored, until

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle
from airflow_provider_retell.triggers.call import BatchCallTrigger, CallTrigger
from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger

AIRFLOW = version("apache-airflow")


def call_trigger(call_id: str = "call_1", **arguments: Any) -> CallTrigger:
    return CallTrigger(call_id=call_id, **common(**arguments))


@pytest.mark.parametrize("status", ["ended", "error", "not_connected"])
async def test_wait_ends_with_every_end_status_and_with_no_other(emulator: Emulator, status: str) -> None:
    running = asyncio.ensure_future(payloads(stored(call_trigger())))
    for other in ("registered", "ongoing", "status_of_a_later_api"):
        emulator.calls["call_1"]["call_status"] = other
        seen = emulator.count("get-call")
        await until(lambda seen=seen: emulator.count("get-call") >= seen + 2)
    assert not running.done()
    emulator.calls["call_1"]["call_status"] = status
    [event] = await asyncio.wait_for(running, 5)
    assert {name: event[name] for name in ("status", "call_id", "call_status")} == {
        "status": "done",
        "call_id": "call_1",
        "call_status": status,
    }


def test_event_has_no_personal_data(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_2", metadata={"plan": "zebra"}, from_number="+14155550111")
    [event] = asyncio.run(payloads(stored(call_trigger("call_2"))))
    assert event["metadata_keys"] == ["plan"]
    call = emulator.calls["call_2"]
    private = ["zebra", "+14155550111", call["transcript"][:20], call["recording_url"]]
    assert [text for text in private if text in repr(event)] == []


async def test_wait_for_the_analysis_continues_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle = Lifecycle(talk=60, analyze=30)
    with Emulator(quotas=None, clock=Clock(frozen=True), lifecycle=lifecycle) as emulator:
        connect(monkeypatch, emulator, quota="9999/1")
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
        running = asyncio.ensure_future(payloads(stored(call_trigger(until="analyzed"))))
        for status, seconds in (("ongoing", 60), ("ended", 30)):
            assert emulator.calls["call_1"]["call_status"] == status
            seen = emulator.count("get-call")
            await until(lambda seen=seen: emulator.count("get-call") >= seen + 2)
            assert not running.done()
            emulator.clock.advance(seconds)
        [event] = await asyncio.wait_for(running, 5)
    assert (event["status"], event["call_id"], event["call_status"]) == ("done", "call_1", "ended")


async def test_batch_ends_when_all_its_calls_have_ended(emulator: Emulator) -> None:
    for number in range(3):
        emulator.add_call(call_id=f"b_{number}", call_status="ongoing", batch_call_id="batch_1")
    emulator.add_call(call_id="other", call_status="ended", batch_call_id="batch_2")
    trigger = BatchCallTrigger(batch_call_id="batch_1", total_task_count=3, **common())
    running = asyncio.ensure_future(payloads(stored(trigger)))
    for number, status in enumerate(("ended", "not_connected", "error")):
        seen = emulator.count("list-calls")
        await until(lambda seen=seen: emulator.count("list-calls") >= seen + 2)
        assert not running.done()
        emulator.calls[f"b_{number}"]["call_status"] = status
    [event] = await asyncio.wait_for(running, 5)
    assert {name: event[name] for name in ("status", "batch_call_id", "ended")} == {
        "status": "done",
        "batch_call_id": "batch_1",
        "ended": 3,
    }


async def test_wait_ends_when_enough_calls_have_ended(emulator: Emulator) -> None:
    emulator.organization.concurrency = 2
    running = asyncio.ensure_future(payloads(stored(ConcurrencyTrigger(calls=2, **common()))))
    await until(lambda: emulator.count() >= 3)
    assert not running.done()
    emulator.calls["call_1"]["call_status"] = "ended"
    assert await asyncio.wait_for(running, 5) == [{"status": "done", "available": 2}]


@pytest.mark.parametrize("stop_on_kill", [False, True])
async def test_kill_hangs_up_only_with_stop_on_kill(emulator: Emulator, stop_on_kill: bool) -> None:
    trigger = stored(call_trigger(stop_on_kill=stop_on_kill))
    task = asyncio.ensure_future(anext(trigger.run()))
    await until(lambda: emulator.count("get-call") > 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await trigger.on_kill()
    assert emulator.calls["call_1"]["call_status"] == ("ended" if stop_on_kill else "ongoing")
    assert emulator.count("stop-call") == int(stop_on_kill)


def test_kill_of_a_call_that_does_not_exist_logs_a_warning(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(call_trigger("call_gone", stop_on_kill=True).on_kill())
    assert "Call call_gone could not be stopped" in caplog.text + "".join(capfd.readouterr())


@pytest.mark.skipif(
    not AIRFLOW.startswith("3.3."), reason="only Airflow 3.3 calls on_kill for a trigger that moves"
)
@pytest.mark.parametrize(
    ("states", "hangs_up"),
    [
        ({"run_1": {"wait_2": "deferred"}}, False),
        ({"run_1": {"wait_2": "failed"}}, True),
        ({"run_1": {"wait_2": None}}, True),
        ({"run_1": {}}, True),
        (OSError("no answer"), False),
    ],
)
def test_a_trigger_that_moves_to_another_triggerer_does_not_hang_up(
    emulator: Emulator, mocker: Any, states: Any, hangs_up: bool
) -> None:
    effect = {"side_effect": states} if isinstance(states, Exception) else {"return_value": states}
    read = mocker.patch(
        "airflow.sdk.execution_time.task_runner.RuntimeTaskInstance.get_task_states", **effect
    )
    trigger = stored(call_trigger(stop_on_kill=True))
    trigger.task_instance = SimpleNamespace(dag_id="a_dag", run_id="run_1", task_id="wait", map_index=2)
    asyncio.run(trigger.on_kill())
    read.assert_called_once_with(dag_id="a_dag", task_ids=["wait"], run_ids=["run_1"])
    assert emulator.count("stop-call") == int(hangs_up)
