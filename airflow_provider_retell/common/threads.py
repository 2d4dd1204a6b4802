"""A thread for the blocking work of a coroutine."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class WorkerThread:
    """One thread that runs blocking functions for a coroutine, one after the other.

    ::

        async with WorkerThread("retell-export") as disk:
            file = await disk.enter(open(path, "wb"))
            await disk.run(file.write, content)

    At the end of the block, the thread exits the context managers that it entered.

    :param name: the start of the thread's name.
    :param exit_timeout: seconds to wait for these context managers to exit. After that, the thread is left alone,
        because nothing can interrupt it. Default: no limit.
    """

    def __init__(self, name: str, *, exit_timeout: float | None = None) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._exit_timeout = exit_timeout
        self._entered = ExitStack()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of *function*, called on the thread."""
        call = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def enter(self, manager: AbstractContextManager[R]) -> R:
        """Enter *manager* on the thread and return its value."""
        # The thread fills the stack, so it exits the manager even if this coroutine is canceled in between.
        return await self.run(self._entered.enter_context, manager)

    async def __aenter__(self) -> WorkerThread:
        return self

    async def __aexit__(self, *error: object) -> None:
        exiting = asyncio.ensure_future(self.run(self._entered.__exit__, *error))  # type: ignore[arg-type]
        try:
            await asyncio.wait([exiting], timeout=self._exit_timeout)
            if exiting.done():
                exiting.result()
        finally:
            self._executor.shutdown(wait=self._exit_timeout is None)
