"""A thread for the blocking work of a coroutine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from airflow_provider_retell.common.threads import WorkerThread


class Recorder:
    """A context manager that records its calls, and their threads."""

    def __init__(self, enter: threading.Event | None = None, leave: threading.Event | None = None) -> None:
        self.events: list[str] = []
        self.threads: set[str] = set()
        self._enter, self._leave = enter, leave

    @contextmanager
    def __call__(self, name: str = "") -> Iterator[str]:
        self._record(f"enter {name}".strip())
        if self._enter:
            self._enter.wait(20)
        try:
            yield name
        except BaseException as error:
            self._record(f"{type(error).__name__} {name}".strip())
            raise
        finally:
            if self._leave:
                self._leave.wait(20)
            self._record(f"exit {name}".strip())

    def _record(self, event: str) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread().name)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("retell-test")]


def test_everything_runs_on_one_thread_which_ends_with_the_block() -> None:
    recorder = Recorder()

    async def main() -> int:
        async with WorkerThread("retell-test") as thread:
            assert [await thread.enter(recorder(name)) for name in "ab"] == ["a", "b"]
            return await thread.run(int, "7")

    assert asyncio.run(main()) == 7
    assert recorder.events == ["enter a", "enter b", "exit b", "exit a"]
    assert len(recorder.threads) == 1
    assert not threads()


def test_context_managers_see_the_error_of_the_block() -> None:
    recorder = Recorder()

    async def main() -> None:
        async with WorkerThread("retell-test") as thread:
            await thread.enter(recorder())
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        asyncio.run(main())
    assert recorder.events == ["enter", "ValueError", "exit"]
    assert not threads()


def test_an_error_of_an_exiting_context_manager_is_raised() -> None:
    @contextmanager
    def fails() -> Iterator[None]:
        yield
        raise OSError("no space left")

    async def main() -> None:
        async with WorkerThread("retell-test") as thread:
            await thread.enter(fails())

    with pytest.raises(OSError, match="no space left"):
        asyncio.run(main())
    assert not threads()


def test_a_context_manager_is_exited_even_if_the_coroutine_is_canceled_while_it_enters() -> None:
    entering = threading.Event()
    recorder = Recorder(enter=entering)

    async def work() -> None:
        async with WorkerThread("retell-test") as thread:
            await thread.enter(recorder())

    async def main() -> None:
        task = asyncio.create_task(work())
        while not recorder.events:  # noqa: ASYNC110 - set in another thread
            await asyncio.sleep(0.001)
        task.cancel()
        asyncio.get_running_loop().call_later(0.01, entering.set)
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert recorder.events == ["enter", "CancelledError", "exit"]
    assert not threads()


def test_the_exit_timeout_leaves_a_thread_alone_that_does_not_end() -> None:
    leaving = threading.Event()
    recorder = Recorder(leave=leaving)

    async def main() -> None:
        async with WorkerThread("retell-test", exit_timeout=0.05) as thread:
            await thread.enter(recorder())

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 10
    assert recorder.events == ["enter"]
    leaving.set()
