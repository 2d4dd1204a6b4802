"""Read the current state of many calls, 1,000 per request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import CallState, CallStatePage
from airflow_provider_retell.api.errors import (
    NotFoundError,
    RetellError,
    RetellStatusError,
)
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.bulk.errors import FATAL
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

CHUNK = 1000
"""The largest number of calls in one page, as Retell documents it."""

# Calls that are missing in a listing and in get-call too, until listings are trusted.
_CONFIRMATIONS = 20
_CONCURRENT_READS = 50
_TOO_MANY_IDS = frozenset({400, 413, 414, 422})

State: TypeAlias = "CallState | RetellError | None"
"""A call, None if the API key's organization has no such call, or the error that prevented reading it."""


class CallStates:
    """Reads calls by id, with as few requests as the server allows.

    Retell does not document how many ids a filter may have. If list-calls rejects a list, it is halved; if it rejects
    single ids, calls are read with get-call.

    Nor does Retell document that a listing is complete. Calls that are missing in it are read with get-call, until 20
    of them are confirmed as unknown. After that, a missing call counts as unknown without a further request. If
    get-call finds a missing call, all further missing calls are read with get-call.
    """

    def __init__(self, hook: RetellAsyncHook) -> None:
        self._hook = hook
        self._ids_per_list = CHUNK
        self._confirmed = 0
        self._incomplete = False

    async def read(self, ids: Sequence[str]) -> dict[str, State]:
        """Return the state of each call in *ids*; raise :class:`RetellError` if none can be read."""
        found: dict[str, State] = {}
        start = 0
        while start < len(ids) and self._ids_per_list:
            part = ids[start : start + self._ids_per_list]
            if (calls := await self._list(part)) is not None:
                found.update(calls)
                start += len(part)
        missing = [call_id for call_id in ids if call_id not in found]
        if self._ids_per_list and not self._incomplete:
            doubtful = missing[: max(_CONFIRMATIONS - self._confirmed, 0)]
            found.update(await self._get_all(doubtful))
            self._confirmed += sum(found[call_id] is None for call_id in doubtful)
            self._incomplete = any(isinstance(found[call_id], CallState) for call_id in doubtful)
            missing = missing[len(doubtful) :]
        if not self._ids_per_list or self._incomplete:
            found.update(await self._get_all(missing))
        return {call_id: found.get(call_id) for call_id in ids}

    async def _list(self, ids: Sequence[str]) -> dict[str, State] | None:
        """Return the calls in a listing of *ids*, or None if Retell rejects so many ids."""
        criteria = {"call_id": {"type": "enum", "op": "in", "value": list(ids)}}
        pages = Pages(endpoints.list_calls, filter_criteria=criteria, limit=CHUNK)
        calls: dict[str, State] = {}
        try:
            for request in pages:
                page = await self._hook.send(request.with_parser(CallStatePage.read))
                calls.update((call.call_id, call) for call in pages.read(page, malformed=True))
                calls.update((call_id, RetellError(fault)) for call_id, fault in page.malformed.items())
        except RetellStatusError as error:
            if error.status not in _TOO_MANY_IDS:
                raise
            self._ids_per_list = len(ids) // 2
            log.warning(
                "list-calls rejects a filter with %s (status %d). Next: %s",
                counted(len(ids), "id"),
                error.status,
                f"{counted(self._ids_per_list, 'id')} per request" if self._ids_per_list else "get-call",
            )
            return None
        return calls

    async def _get_all(self, ids: Sequence[str]) -> dict[str, State]:
        found: dict[str, State] = {}
        for start in range(0, len(ids), _CONCURRENT_READS):
            part = ids[start : start + _CONCURRENT_READS]
            tasks = [asyncio.create_task(self._get(call_id)) for call_id in part]
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

    async def _get(self, call_id: str) -> State:
        try:
            return await self._hook.send(endpoints.get_call(call_id).with_parser(CallState.read))
        except NotFoundError:
            return None
        except FATAL:
            raise
        except RetellError as error:
            return error
