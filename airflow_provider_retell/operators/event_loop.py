"""Run an event loop in a task so that Airflow can always stop it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from airflow_provider_retell.operators.base import RetellOperator

R = TypeVar("R")


class LoopOperator(RetellOperator):
    """Base of the operators whose work is a coroutine: timeouts, signals and kills end it cleanly."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._stop: Callable[[], object] | None = None
        self._stopped = False

    def run_loop(self, work: Coroutine[Any, Any, R]) -> R:
        """Return what *work* returns; raise :class:`asyncio.CancelledError` if the task was killed meanwhile."""
        self._stopped = False
        # On a thread of its own: Airflow's timeouts and signals raise on the main thread, at any moment, and an event
        # loop there may swallow what is raised.
        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="retell-loop") as thread:
            run = thread.submit(asyncio.run, self._run_until_stopped(work))
            try:
                return run.result()
            except BaseException:
                self.on_kill()
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
        """Stop the work cleanly: nothing more is sent, and what is open is closed."""
        self._stopped = True
        stop, self._stop = self._stop, None
        if stop is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                stop()
