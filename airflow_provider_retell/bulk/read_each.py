"""Read records one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from airflow_provider_retell.api.errors import RetellError

S = TypeVar("S")

_CONCURRENT_READS = 50


async def read_each(
    keys: Sequence[str], read: Callable[[str], Coroutine[Any, Any, S | RetellError | None]]
) -> dict[str, S | RetellError | None]:
    """Return the result of *read* for each key; 50 reads run at the same time.

    :raises RetellError: if 50 reads in a row return an error.
    """
    found: dict[str, S | RetellError | None] = {}
    for start in range(0, len(keys), _CONCURRENT_READS):
        part = keys[start : start + _CONCURRENT_READS]
        tasks = [asyncio.create_task(read(key)) for key in part]
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
