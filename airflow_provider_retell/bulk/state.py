"""What Retell knows about the calls of some rows: read by lists of ids, a thousand calls to a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.errors import (
    AuthenticationError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RetellStatusError,
)
from airflow_provider_retell.api.pages import CallPages

if TYPE_CHECKING:
    from airflow_provider_retell.api.models import Call
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

FATAL = (AuthenticationError, PaymentRequiredError, PermissionDeniedError)
"""Errors that every request of the run would meet too."""

CHUNK = 1000
"""Retell's documented maximum of calls per page."""

_PROOFS = 20


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

    async def read(self, ids: Sequence[str]) -> dict[str, Call | None]:
        """Return the call for each of *ids*, or None where there is none under this API key."""
        found: dict[str, Call | None] = {}
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
            truly_unknown = sum(found[call_id] is None for call_id in doubtful)
            self._proofs += truly_unknown
            self._incomplete = truly_unknown < len(doubtful)
            unlisted = unlisted[len(doubtful) :]
        if not self._most or self._incomplete:
            found.update(await self._one_by_one(unlisted))
        return {call_id: found.get(call_id) for call_id in ids}

    async def _listed(self, ids: Sequence[str]) -> dict[str, Call] | None:
        """Return the calls that a listing shows, or None if Retell refused so many ids."""
        criteria = {"call_id": {"type": "enum", "op": "in", "value": list(ids)}}
        pages = CallPages(filter_criteria=criteria, page_size=CHUNK)
        calls: dict[str, Call] = {}
        try:
            for request in pages:
                calls.update((call.call_id, call) for call in pages.read(await self._hook.send(request)))
        except FATAL:
            raise
        except RetellStatusError as error:
            if not 400 <= error.status < 500 or error.status == 429:
                raise
            self._most = len(ids) // 2
            log.warning("list-calls refuses %d ids (%d): asking for %d at once", len(ids), error.status, self._most)
            return None
        return calls

    async def _one_by_one(self, ids: Sequence[str]) -> dict[str, Call | None]:
        return dict(zip(ids, await asyncio.gather(*map(self._get, ids)), strict=True))

    async def _get(self, call_id: str) -> Call | None:
        try:
            return await self._hook.send(endpoints.get_call(call_id))
        except NotFoundError:
            return None
