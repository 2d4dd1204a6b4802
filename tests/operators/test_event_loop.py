"""Operators whose work is a coroutine."""

from __future__ import annotations

import _thread
import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import tasks
from task_signals import AirflowTaskTimeout, calls_on_kill

from airflow_provider_retell.operators.event_loop import LoopOperator


class Loop(LoopOperator):
    """Sleeps, and records its steps."""

    def __init__(self, seconds: float = 0, **kwargs: Any) -> None:
        super().__init__(task_id="a_task", **kwargs)
        self.seconds = seconds
        self.events: list[str] = []

    def work(self, context: Any) -> str:
        return self.run_loop(self._sleep())

    async def _sleep(self) -> str:
        self.events.append(f"begins in {threading.current_thread().name}")
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.events.append("canceled")
            raise
        return "result"


def loop_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("retell-loop")]


def test_the_loop_runs_in_a_thread_of_its_own_and_returns_the_result() -> None:
    task = Loop()
    assert tasks.run_task(task) == "result"
    assert task.events == ["begins in retell-loop_0"]
    assert not loop_threads()


def test_on_kill_cancels_the_coroutine() -> None:
    task = Loop(seconds=60)

    def kill() -> None:
        tasks.eventually(lambda: bool(task.events))
        task.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(asyncio.CancelledError):
        task.work({})
    killer.join()
    assert task.events[1:] == ["canceled"]
    assert not loop_threads()


def test_a_signal_that_does_not_wake_the_main_thread_is_handled() -> None:
    """It arrived just before the thread began to wait. Python then only notes that there was a signal."""

    class Signaled(Loop):
        async def _sleep(self) -> str:
            asyncio.get_running_loop().call_later(0.1, _thread.interrupt_main, signal.SIGTERM)
            return await super()._sleep()

    task = Signaled(seconds=5)
    with calls_on_kill(task), pytest.raises(asyncio.CancelledError):
        tasks.run_task(task)
    assert task.events[1:] == ["canceled"]


def test_on_kill_after_the_end_does_nothing() -> None:
    task = Loop()
    assert tasks.run_task(task) == "result"
    task.on_kill()


def test_on_kill_before_the_task_prevents_the_coroutine() -> None:
    """Airflow handles SIGTERM from before it renders the templates."""
    task = Loop()
    task.on_kill()
    with pytest.raises(asyncio.CancelledError):
        tasks.run_task(task)
    assert not task.events
    assert tasks.run_task(task) == "result"


def test_on_kill_before_the_coroutine_prevents_it() -> None:
    class KilledEarly(Loop):
        def work(self, context: Any) -> str:
            self.on_kill()
            return super().work(context)

    task = KilledEarly()
    with pytest.raises(asyncio.CancelledError):
        tasks.run_task(task)
    assert not task.events


def test_a_timeout_while_the_thread_starts_prevents_the_work(mocker: Any) -> None:
    """Airflow raises it on the main thread, at any point of the standard library's code."""
    start_thread = ThreadPoolExecutor._adjust_thread_count

    def start_and_time_out(self: ThreadPoolExecutor) -> None:
        start_thread(self)
        raise AirflowTaskTimeout("Timeout")

    mocker.patch.object(ThreadPoolExecutor, "_adjust_thread_count", start_and_time_out)
    task = Loop(seconds=60)
    with pytest.raises(AirflowTaskTimeout):
        task.work({})
    tasks.eventually(lambda: not loop_threads())
    assert task.events == []
