"""Read records one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.errors import FATAL

S = TypeVar("S")

_CONCURRENT_READS = 50


async def read_each(
    keys: Sequence[str], read: Callable[[str], Awaitable[S | None]]
) -> dict[str, S | RetellError | None]:
    """Return the result or the error of *read* for each key; 50 reads run at the same time.

    :raises RetellError: if 50 reads in a row fail, or one with an error that all others would meet.
    """

    async def result(key: str) -> S | RetellError | None:
        try:
            return await read(key)
        except FATAL:
            raise
        except RetellError as error:
            return error

    found: dict[str, S | RetellError | None] = {}
    for start in range(0, len(keys), _CONCURRENT_READS):
        part = keys[start : start + _CONCURRENT_READS]
        tasks = [asyncio.create_task(result(key)) for key in part]
        try:
            states = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        errors = [state for state in states if isinstance(state, RetellError)]
        if len(errors) == _CONCURRENT_READS:
            raise errors[0]
        found.update(zip(part, states, strict=True))
    return found
