"""Files on the user's storage, written from a coroutine with bounded memory."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

from airflow_provider_retell.bulk.errors import StorageError
from airflow_provider_retell.common.disk import DiskFullError, full_disk

P = ParamSpec("P")
R = TypeVar("R")

BUFFER = 1024 * 1024
"""How many bytes of a file are in memory at most. A smaller file is written in one step."""

# After a cancellation, nothing can interrupt an upload, so leave it alone after this time.
_CLOSE_SECONDS = 5.0


class Storage:
    """The user's storage. Blocking calls run in threads.

    :param conn_id: the Airflow connection of the storage. Default: the storage's default connection.
    :param threads: the largest number of files that are written at the same time.
    """

    def __init__(self, conn_id: str | None, threads: int) -> None:
        self._conn_id = conn_id
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="retell-recordings")
        self._opening = asyncio.Lock()
        self._is_open = False

    def close(self) -> None:
        """Start no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def size(self, path: str) -> int | None:
        """Return the size of a file, or None if there is no such file."""
        # The first request is alone. Otherwise, each thread would create a client, and some versions of s3fs lose the
        # connection's credentials if a second request begins before the first one has connected.
        async with self._opening:
            if not self._is_open:
                try:
                    return await self._run(_size, path, self._conn_id)
                finally:
                    self._is_open = True
        return await self._run(_size, path, self._conn_id)

    async def write(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        """Write *chunks* to *path* atomically, and return the number of bytes.

        If *chunks* raises or the coroutine is canceled, *path* stays as it is.
        """
        file = _File(path, self._conn_id)
        # A list, because joining the chunks costs a third of the time of receiving them.
        buffer: list[bytes] = []
        size = written = 0
        try:
            async for chunk in chunks:
                buffer.append(chunk)
                size += len(chunk)
                if size - written >= BUFFER:
                    await self._run(file.write, buffer)
                    buffer, written = [], size
            await self._run(file.finish, buffer)
        except BaseException:
            if file.is_open:
                await self._run(file.discard)
            raise
        return size

    async def _run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of *function*. A cancellation waits a short time for it."""
        call = functools.partial(function, *args, **kwargs)
        running = asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running], timeout=_CLOSE_SECONDS)
            if running.done():
                running.exception()
            raise
        except Exception as error:
            # The storage's own message could have private data. The cause of a DiskFullError is its context.
            cause = error.__context__ if isinstance(error, DiskFullError) and error.__context__ else error
            reason = [type(cause).__name__, full_disk(cause)]
            raise StorageError(f"the storage failed with {': '.join(filter(None, reason))}") from None


class _File:
    """A file that appears at its path when it is complete. All methods block."""

    def __init__(self, path: str, conn_id: str | None) -> None:
        self._path = path
        self._conn_id = conn_id
        self._stack = ExitStack()
        self._file: BinaryIO | None = None

    @property
    def is_open(self) -> bool:
        """True if there is something to discard."""
        return self._file is not None

    def write(self, content: list[bytes]) -> None:
        from airflow_provider_retell.common.atomic import atomic_open

        if self._file is None:
            self._file = self._stack.enter_context(atomic_open(self._path, self._conn_id))
        self._file.writelines(content)

    def finish(self, content: list[bytes]) -> None:
        self.write(content)
        self._file = None
        self._stack.close()

    def discard(self) -> None:
        self._file = None
        error = InterruptedError()
        # On a full disk, closing the file fails too.
        with suppress(Exception):
            self._stack.__exit__(InterruptedError, error, None)


def _size(path: str, conn_id: str | None) -> int | None:
    from airflow_provider_retell._compat.services import storage_path

    try:
        if "://" not in path:
            return Path(path).stat().st_size
        target: Any = storage_path(path, conn_id)
        return int(target.fs.info(target.path)["size"])
    except FileNotFoundError:
        return None
