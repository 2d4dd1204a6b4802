"""Base class of the operators that run an event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.operators.base import RetellOperator

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context

R = TypeVar("R")

_SIGNAL_SECONDS = 0.5
"""The longest time for which the main thread waits without handling a signal."""


class LoopOperator(RetellOperator):
    """Base class of the operators whose work is a coroutine. Timeouts, signals and kills end the coroutine cleanly."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._stop: Callable[[], object] | None = None
        self._stopped = False

    def execute(self, context: Context) -> Any:
        """Run the task. A kill that comes before its coroutine begins prevents the coroutine."""
        try:
            return super().execute(context)
        finally:
            self._stopped = False  # not earlier: Airflow may kill the task before it executes it

    def run_loop(self, work: Coroutine[Any, Any, R]) -> R:
        """Run *work* and return its result.

        :raises asyncio.CancelledError: if the task was killed meanwhile.
        """
        run, may_start = None, threading.Event()

        def run_in_thread() -> R:
            may_start.wait()
            return asyncio.run(self._run_until_stopped(work))

        # Not on the main thread: there, Airflow's timeouts and signal handlers can raise at any point of the loop's own
        # code, which may swallow the exception. They can also raise within submit(), after the thread has started.
        # Therefore the thread waits for an event, and is stopped before it begins.
        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="retell-loop") as thread:
            try:
                run = thread.submit(run_in_thread)
                may_start.set()
                # Not run.result(): if a signal arrives just before the main thread begins to wait, Python calls its
                # handler only when the thread wakes up.
                while not concurrent.futures.wait([run], timeout=_SIGNAL_SECONDS).done:
                    pass
                return run.result()
            except BaseException:
                self.on_kill()
                may_start.set()
                if run is not None:
                    concurrent.futures.wait([run])
                raise

    async def _run_until_stopped(self, work: Coroutine[Any, Any, R]) -> R:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        self._stop = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            if self._stopped:
                task.cancel()
            return await task
        finally:
            self._stop = None

    def on_kill(self) -> None:
        """Cancel the coroutine. It sends nothing more, and closes its files and connections."""
        self._stopped = True
        stop, self._stop = self._stop, None
        if stop is not None:
            # The loop is closed if the coroutine has just ended.
            with contextlib.suppress(RuntimeError):
                stop()
