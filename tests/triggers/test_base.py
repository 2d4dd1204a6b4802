"""PollTrigger: the ends of a wait, failed polls, time, rows in Airflow's database, and cancellation."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tasks import connect
from waits import common, payloads, stored, until

from airflow_provider_retell.api.errors import RetellError, WaitFailedError, WaitTimeoutError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.api.waits import Condition
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks import shared
from airflow_provider_retell.hooks.retell import RetellAsyncHook
from airflow_provider_retell.triggers.base import PollTrigger
from airflow_provider_retell.triggers.call import BatchCallTrigger, CallTrigger
from airflow_provider_retell.triggers.chat import ChatTrigger
from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger
from airflow_provider_retell.triggers.knowledge_base import KnowledgeBaseTrigger
from airflow_provider_retell.triggers.record_events.ended_records import shared_poll
from airflow_provider_retell.triggers.simulation import BatchTestTrigger
from airflow_provider_retell.waiting.event import check_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_mock import MockerFixture

    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.api.waits import Poll

# With this header, each poll is one attempt.
ONE_ATTEMPT = {"x-should-retry": "false"}
ENDED = {"call_id": "call_1", "call_status": "ended"}


def call_trigger(call_id: str = "call_1", until: Any = "ended", **arguments: Any) -> CallTrigger:
    return CallTrigger(call_id=call_id, until=until, **common(**arguments))


def run(trigger: Any) -> dict[str, Any]:
    """Return the payload of the only event of *trigger*, restored from its row."""
    [event] = asyncio.run(payloads(stored(trigger)))
    return event


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """The log of triggers: in ``logging`` on Airflow 2, on the standard streams on Airflow 3."""
    return lambda: caplog.text + "".join(capfd.readouterr())


class TestFailedPolls:
    def test_failures_up_to_the_limit_are_tolerated(self, emulator: Emulator) -> None:
        emulator.faults.add(Fault.status(500, headers=ONE_ATTEMPT), times=3)
        emulator.faults.add(Fault.status(500, headers=ONE_ATTEMPT), times=3, after=1)  # one poll succeeds
        emulator.faults.add(Fault.status(200, body=ENDED), after=1)
        assert run(call_trigger(max_poll_failures=3))["status"] == "done"
        statuses = [request.status for request in emulator.requests]
        assert statuses == [500, 500, 500, 200, 500, 500, 500, 200]

    def test_one_failure_more_ends_the_wait_with_the_reason(self, emulator: Emulator) -> None:
        emulator.faults.add(Fault.status(500, headers=ONE_ATTEMPT), times=0)
        event = run(call_trigger(max_poll_failures=3))
        assert (event["status"], event["permanent"]) == ("error", False)
        assert event["message"].startswith(
            "Stopped waiting for call call_1 to end (4 polls in a row failed): get-call of call call_1: Retell"
        )
        assert " 500" in event["message"]
        assert emulator.count("get-call") == 4
        with pytest.raises(RetellError) as error:
            check_event(event)
        assert not error.value.permanent

    def test_rate_limiting_does_not_count(self, emulator: Emulator) -> None:
        emulator.faults.add(Fault.status(429, headers={"Retry-After": "1"}), times=12)
        emulator.calls["call_1"]["call_status"] = "ended"
        with no_waiting(emulator.clock.advance):
            event = run(call_trigger(max_poll_failures=1, deadline=clock().time() + 1000))
        assert event["status"] == "done"
        assert emulator.count("get-call") == 13

    @pytest.mark.parametrize("status", [401, 402, 403, 404, 422])
    def test_permanent_error_ends_the_wait_at_once(self, emulator: Emulator, status: int) -> None:
        emulator.faults.add(Fault.status(status), times=0)
        event = run(call_trigger())
        assert (event["status"], event["permanent"]) == ("error", True)
        assert event["message"].startswith("Stopped waiting for call call_1 to end: ")
        assert f" {status}" in event["message"]
        assert emulator.count("get-call") == 1
        with pytest.raises(WaitFailedError):
            check_event(event)

    def test_connection_without_a_key_ends_the_wait_at_once(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, emulator.url, api_key="")
        event = run(call_trigger())
        assert event["permanent"]
        assert "no API key" in event["message"]

    def test_missing_connection_is_looked_up_again(self) -> None:
        """A secrets backend that is down for a while looks the same."""
        event = run(call_trigger(retell_conn_id="no_such", max_poll_failures=2))
        assert (event["status"], event["permanent"]) == ("error", False)
        assert "3 polls in a row failed" in event["message"]
        assert "no_such" in event["message"]

    def test_unexpected_error_is_one_event_without_the_text_of_the_error(
        self, emulator: Emulator, logged: Any
    ) -> None:
        [event] = asyncio.run(payloads(BrokenTrigger(**common(max_poll_failures=1))))
        assert (event["status"], event["permanent"]) == ("error", False)
        assert (
            event["message"] == "Stopped waiting for a broken condition (2 polls in a row failed): KeyError"
        )
        log = logged()
        assert "Connection 'retell_default': poll failed, 1 in a row: KeyError" in log
        assert "transcript" not in log

    async def test_waits_continue_with_a_new_key_when_the_old_one_is_revoked(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emulator.add_call(call_id="call_2", call_status="ongoing")
        emulator.add_key("key_new")

        async def polled(times: int) -> None:
            seen = emulator.count("get-call")
            await until(lambda: emulator.count("get-call") >= seen + times)

        before = asyncio.ensure_future(payloads(stored(call_trigger())))
        await polled(2)
        connect(monkeypatch, emulator.url, api_key="key_new", quota="9999/1")
        after = asyncio.ensure_future(payloads(stored(call_trigger("call_2"))))
        await polled(5)
        emulator.revoke_key(emulator.api_key)
        assert await shared_poll("call", "retell_default", 0, 0) == []  # as a watcher of calls does
        await polled(5)
        assert [before.done(), after.done()] == [False, False]
        for call in ("call_1", "call_2"):
            emulator.calls[call]["call_status"] = "ended"
        first, second = await asyncio.wait_for(asyncio.gather(before, after), 5)
        assert [event["status"] for event in first + second] == ["done", "done"]


class Broken(Condition):
    """A condition whose polls raise an error of another library."""

    def __str__(self) -> str:
        return "a broken condition"

    def poll(self) -> Flow[Poll]:
        raise KeyError("the transcript")


class BrokenTrigger(PollTrigger):
    def condition(self) -> Condition:
        return Broken()


class TestTime:
    async def test_deadline_survives_a_restart(self, emulator: Emulator) -> None:
        with no_waiting(emulator.clock.advance) as fast:
            started = clock().time()
            trigger = call_trigger(poll_interval=30, deadline=started + 3600)
            running = asyncio.ensure_future(payloads(stored(trigger)))
            await until(lambda: emulator.count("get-call") >= 2)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            fast.sleep(1800 - (clock().time() - started))
            [event] = await payloads(stored(trigger))  # another triggerer, from the row
            assert started + 3600 <= clock().time() < started + 3600 + 5
        assert event == {
            "call_id": "call_1",
            "until": "ended",
            "status": "timeout",
            "execution_timeout": False,
            "message": "Timed out after 1 h of waiting for call call_1 to end. Last state: ongoing",
        }
        with pytest.raises(WaitTimeoutError, match="call_1"):
            check_event(event)

    @pytest.mark.parametrize(("status", "outcome"), [("ongoing", "timeout"), ("ended", "done")])
    def test_trigger_polls_once_after_the_deadline(
        self, emulator: Emulator, status: str, outcome: str
    ) -> None:
        """A triggerer that was down at the deadline must not time out if the call has ended."""
        emulator.calls["call_1"]["call_status"] = status
        event = run(call_trigger(deadline=time.time() - 100, poll_interval=60))
        assert event["status"] == outcome
        assert emulator.count("get-call") == 1

    async def test_hanging_server_does_not_delay_the_end_of_the_wait(self, emulator: Emulator) -> None:
        emulator.faults.add(Fault.hang(), times=0)
        with no_waiting() as fast:
            deadline = clock().time() + 600
            running = asyncio.ensure_future(payloads(stored(call_trigger(deadline=deadline))))
            await until(lambda: emulator.count("get-call") > 0)
            fast.sleep(625)
            await asyncio.sleep(0.05)
            assert not running.done()
            fast.sleep(5)
            [event] = await asyncio.wait_for(running, 5)
            assert clock().time() < deadline + 35
        assert event["status"] == "timeout"
        assert "Last state: unknown" in event["message"]

    @pytest.mark.parametrize("max_wait", [None, 60, timedelta(seconds=60)])
    def test_back_off_doubles_the_time_with_every_poll(
        self, emulator: Emulator, mocker: MockerFixture, max_wait: Any
    ) -> None:
        mocker.patch.object(shared, "POLL_RETRY", RetryLimits(attempts=1))  # the hook itself never sleeps
        emulator.faults.add(Fault.status(200, body=ENDED), after=10)
        times: list[float] = []
        with no_waiting(lambda seconds: times.append(seconds)):
            started = clock().time()
            run(
                call_trigger(
                    poll_interval=10,
                    deadline=started + 1e6,
                    started=started,
                    exponential_backoff=True,
                    max_wait=max_wait,
                )
            )
        passed = 0.0
        pauses = [seconds for seconds in times if seconds > 0]
        assert len(pauses) == 11
        for number, pause in enumerate(pauses):
            expected = 10 + passed if max_wait is None else min(10 + passed, 60)
            if number:
                assert 0.89 * expected <= pause <= 1.11 * (expected + 1)
            passed += pause
        assert (passed > 3000) == (max_wait is None)

    def test_pauses_vary_around_the_poll_interval(self, emulator: Emulator, mocker: MockerFixture) -> None:
        mocker.patch.object(shared, "POLL_RETRY", RetryLimits(attempts=1))  # the hook itself never sleeps
        emulator.faults.add(Fault.status(200, body=ENDED), after=50)
        pauses: list[float] = []
        with no_waiting(pauses.append):
            run(call_trigger(poll_interval=10, deadline=clock().time() + 1000))
        first, *others = [seconds for seconds in pauses if seconds > 0]
        assert first <= 10
        assert len(others) == 50
        assert all(9 <= seconds <= 11 for seconds in others)
        assert len(set(others)) > 40

    def test_log_has_the_start_each_state_and_the_end(self, emulator: Emulator, logged: Any) -> None:
        emulator.faults.add(Fault.status(200, body={**ENDED, "call_status": "registered"}), times=2)
        emulator.faults.add(Fault.status(200, body={**ENDED, "call_status": "ongoing"}), times=3)
        emulator.faults.add(Fault.status(200, body={**ENDED, "disconnection_reason": "user_hangup"}))
        with no_waiting():
            run(call_trigger(poll_interval=30, deadline=clock().time() + 7200))
        lines = [line.partition("for call call_1 to end")[2] for line in logged().splitlines()]
        states = list(dict.fromkeys(line for line in lines if line))  # Airflow 2 has two handlers
        assert len(states) == 4
        assert ", for up to 2 h; polling every 30 s" in states[0]
        assert states[1].startswith(": registered")
        assert states[2].startswith(": ongoing")
        assert ": ended, disconnection reason user_hangup" in states[3]


TRIGGERS = [
    (CallTrigger, "call", {"call_id": "call_1", "until": "analyzed", "stop_on_kill": True}),
    (BatchCallTrigger, "call", {"batch_call_id": "batch_1", "total_task_count": 7, "until": "analyzed"}),
    (ChatTrigger, "chat", {"chat_id": "chat_1", "until": "analyzed"}),
    (ConcurrencyTrigger, "concurrency", {"calls": 3}),
    (
        KnowledgeBaseTrigger,
        "knowledge_base",
        {
            "knowledge_base_id": "knowledge_base_1",
            "present": ["mark"],
            "absent": ["source_1"],
            "list_deadline": 1800000000.0,
            "accept_error": True,
        },
    ),
    (BatchTestTrigger, "simulation", {"batch_test_id": "test_batch_1"}),
]
COMMON = {
    "retell_conn_id": "some_conn",
    "poll_interval": 12.5,
    "deadline": 1800000000.25,
    "max_poll_failures": 4,
    "started": 1799990000.25,
    "state": {"batch_tests": ["test_batch_1"]},
    "execution_deadline": 1799990600.25,
    "exponential_backoff": True,
    "max_wait": 300.0,
}


class TestRow:
    @pytest.mark.parametrize(
        ("kind", "module", "own"), TRIGGERS, ids=lambda value: getattr(value, "__name__", "")
    )
    def test_row_has_the_constructors_arguments_only(
        self, kind: Any, module: str, own: dict[str, Any]
    ) -> None:
        trigger = kind(**COMMON, **own)
        path, arguments = trigger.serialize()
        assert path == f"airflow_provider_retell.triggers.{module}.{kind.__name__}"
        assert arguments == COMMON | own  # ids, numbers and times: no secrets, no phone numbers
        assert json.loads(json.dumps(arguments)) == arguments
        assert stored(trigger).serialize() == (path, arguments)
        names = {
            name
            for base in (kind, PollTrigger)
            for name, parameter in inspect.signature(base.__init__).parameters.items()
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
        }
        assert names == set(arguments)

    @pytest.mark.parametrize(
        ("kind", "module", "own"), TRIGGERS, ids=lambda value: getattr(value, "__name__", "")
    )
    def test_serialization_of_the_sdk_accepts_the_row(
        self, kind: Any, module: str, own: dict[str, Any]
    ) -> None:
        serde = pytest.importorskip("airflow.sdk.serde", reason="came with Airflow 3.2")
        arguments = kind(**COMMON, **own).serialize()[1]
        assert serde.deserialize(json.loads(json.dumps(serde.serialize(arguments)))) == arguments

    def test_row_with_the_required_arguments_only_makes_a_trigger(self) -> None:
        CallTrigger(retell_conn_id="some_conn", poll_interval=1, deadline=1.0, call_id="call_1")


class TestCancellation:
    @pytest.mark.parametrize("moment", ["sleeping", "polling", "opening"])
    async def test_cancelled_wait_leaves_nothing_behind(
        self, emulator: Emulator, mocker: MockerFixture, moment: str
    ) -> None:
        before = asyncio.all_tasks()
        sent: list[Any] = []
        opened: list[RetellAsyncHook] = []
        enter = RetellAsyncHook.__aenter__

        async def open_hook(hook: RetellAsyncHook) -> RetellAsyncHook:
            opened.append(hook)
            if moment == "opening":
                await asyncio.Event().wait()
            return await enter(hook)

        mocker.patch.object(RetellAsyncHook, "__aenter__", open_hook)
        if moment == "polling":
            emulator.faults.add(Fault.hang(), times=0)
        trigger = call_trigger(poll_interval=0.02 if moment != "sleeping" else 0.2)

        async def run_trigger() -> None:
            async for event in trigger.run():
                sent.append(event)

        task = asyncio.ensure_future(run_trigger())
        await until(lambda: bool(opened) and (moment == "opening" or emulator.count() > 0))
        if moment == "sleeping":
            await until(lambda: emulator.count("get-call", status=200) > 0)
            await asyncio.sleep(0.02)  # the response arrives
        session = opened[0]._session
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert shared._shared == {}
        assert opened[0]._session is None
        assert session is None or session.closed
        assert asyncio.all_tasks() == before
        assert sent == []

    async def test_hook_is_closed_before_the_event_is_sent(self, emulator: Emulator) -> None:
        """Airflow may drop the generator as soon as it has the event."""
        emulator.calls["call_1"]["call_status"] = "ended"
        events = call_trigger().run()
        assert (await anext(events)).payload["status"] == "done"
        assert shared._shared == {}
        await events.aclose()


async def test_concurrent_waits_share_one_lookup_of_the_connection(
    emulator: Emulator, mocker: MockerFixture
) -> None:
    lookups: list[str] = []
    enter = RetellAsyncHook.__aenter__

    async def fail_once(hook: RetellAsyncHook) -> RetellAsyncHook:
        lookups.append(hook.retell_conn_id)
        await asyncio.sleep(0.05)
        if len(lookups) == 1:
            raise OSError("the secrets backend is away")
        return await enter(hook)

    mocker.patch.object(RetellAsyncHook, "__aenter__", fail_once)
    emulator.calls["call_1"]["call_status"] = "ended"
    triggers = [stored(call_trigger(poll_interval=0.01)) for _ in range(50)]
    assert [event["status"] for [event] in await asyncio.gather(*map(payloads, triggers))] == ["done"] * 50
    assert len(lookups) == 2
