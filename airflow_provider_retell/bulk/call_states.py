"""What Retell knows about the calls of some rows: read by lists of ids, a thousand calls to a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import CallState, CallStatePage
from airflow_provider_retell.api.errors import (
    AuthenticationError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RetellError,
    RetellStatusError,
)
from airflow_provider_retell.api.paging import Pages

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

FATAL = (AuthenticationError, PaymentRequiredError, PermissionDeniedError)
"""Errors that every request of the run would meet too."""

CHUNK = 1000
"""Retell's documented maximum of calls per page."""

_PROOFS = 20
_AT_ONCE = 50
_TOO_MANY_IDS = frozenset({400, 413, 414, 422})

State: TypeAlias = "CallState | RetellError | None"
"""A call, None if there is none under this API key, or why it could not be read."""


class CallStates:
    """Reads calls by id, as cheaply as the server lets.

    How many ids Retell takes in one filter is not documented: a list that it refuses is halved, and single calls
    are read with get-call in the end. Nor is it documented that a listing shows every call: calls that it lacks are
    asked for one by one, until twenty of them were truly unknown; from then on the listing is believed.
    """

    def __init__(self, hook: RetellAsyncHook) -> None:
        self._hook = hook
        self._most = CHUNK
        self._proofs = 0
        self._incomplete = False

    async def read(self, ids: Sequence[str]) -> dict[str, State]:
        """Return the state of the call for each of *ids*; raise :class:`RetellError` if nothing gets through."""
        found: dict[str, State] = {}
        start = 0
        while start < len(ids) and self._most:
            part = ids[start : start + self._most]
            if (calls := await self._listed(part)) is not None:
                found.update(calls)
                start += len(part)
        unlisted = [call_id for call_id in ids if call_id not in found]
        if self._most and not self._incomplete:
            doubtful = unlisted[: max(_PROOFS - self._proofs, 0)]
            found.update(await self._one_by_one(doubtful))
            self._proofs += sum(found[call_id] is None for call_id in doubtful)
            self._incomplete = any(isinstance(found[call_id], CallState) for call_id in doubtful)
            unlisted = unlisted[len(doubtful) :]
        if not self._most or self._incomplete:
            found.update(await self._one_by_one(unlisted))
        return {call_id: found.get(call_id) for call_id in ids}

    async def _listed(self, ids: Sequence[str]) -> dict[str, State] | None:
        """Return the calls that a listing shows, or None if Retell refused so many ids."""
        criteria = {"call_id": {"type": "enum", "op": "in", "value": list(ids)}}
        pages = Pages(endpoints.list_calls, filter_criteria=criteria, limit=CHUNK)
        calls: dict[str, State] = {}
        try:
            for request in pages:
                page = await self._hook.send(request.with_parser(CallStatePage.read))
                calls.update((call.call_id, call) for call in pages.read(page, malformed=True))
                calls.update((call_id, RetellError(wrong)) for call_id, wrong in page.malformed.items())
        except RetellStatusError as error:
            if error.status not in _TOO_MANY_IDS:
                raise
            self._most = len(ids) // 2
            log.warning(
                "list-calls refuses %d ids (%d): asking for %d at once", len(ids), error.status, self._most
            )
            return None
        return calls

    async def _one_by_one(self, ids: Sequence[str]) -> dict[str, State]:
        found: dict[str, State] = {}
        for start in range(0, len(ids), _AT_ONCE):
            part = ids[start : start + _AT_ONCE]
            tasks = [asyncio.create_task(self._get(call_id)) for call_id in part]
            try:
                states = await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            errors = [state for state in states if isinstance(state, RetellError)]
            if len(errors) == _AT_ONCE:
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
