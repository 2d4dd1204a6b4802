"""Read the current state of many records by id, 1,000 per request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_provider_retell.api.errors import NotFoundError, RetellError, RetellStatusError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.records.models import RecordState
from airflow_provider_retell.bulk.read_each import read_each
from airflow_provider_retell.bulk.row_chunks import CHUNK
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.kind import Kind
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

# Records that are missing in a listing and cannot be got either, until listings are trusted.
_CONFIRMATIONS = 20
_TOO_MANY_IDS = frozenset({400, 413, 414, 422})

State: TypeAlias = "RecordState | RetellError | None"
"""A record, None if the API key's organization has none, or the error that prevented reading it."""


class RecordStates:
    """Reads records by id, with as few requests as the server allows.

    Retell does not document how many ids a filter may have. If the listing rejects a list, it is halved; if it rejects
    single ids, records are read one by one.

    Nor does Retell document that a listing is complete. Records that are missing in it are read one by one, until 20
    of them are confirmed as unknown. After that, a missing record counts as unknown without a further request. If a
    missing record is found, all further missing records are read one by one.
    """

    def __init__(self, hook: RetellAsyncHook, kind: Kind[Any]) -> None:
        self._hook = hook
        self._kind = kind
        self._id_field = f"{kind.name}_id"
        self._ids_per_list = CHUNK
        self._confirmed = 0
        self._incomplete = False

    async def read(self, ids: Sequence[str]) -> dict[str, State]:
        """Return the state of each record in *ids*; raise :class:`RetellError` if none can be read."""
        found: dict[str, State] = {}
        start = 0
        while start < len(ids) and self._ids_per_list:
            part = ids[start : start + self._ids_per_list]
            if (records := await self._list(part)) is not None:
                found.update(records)
                start += len(part)
        missing = [record_id for record_id in ids if record_id not in found]
        if self._ids_per_list and not self._incomplete:
            doubtful = missing[: max(_CONFIRMATIONS - self._confirmed, 0)]
            found.update(await read_each(doubtful, self._get))
            self._confirmed += sum(found[record_id] is None for record_id in doubtful)
            self._incomplete = any(isinstance(found[record_id], RecordState) for record_id in doubtful)
            missing = missing[len(doubtful) :]
        if not self._ids_per_list or self._incomplete:
            found.update(await read_each(missing, self._get))
        return {record_id: found.get(record_id) for record_id in ids}

    async def _list(self, ids: Sequence[str]) -> dict[str, State] | None:
        """Return the records in a listing of *ids*, or None if Retell rejects so many ids."""
        criteria = {self._id_field: {"type": "enum", "op": "in", "value": list(ids)}}
        pages = Pages(self._kind.listing, filter_criteria=criteria, limit=CHUNK)
        records: dict[str, State] = {}
        try:
            for request in pages:
                page = await self._hook.send(request.with_parser(self._kind.state_page.read))
                records.update(
                    (getattr(record, self._id_field), record) for record in pages.read(page, malformed=True)
                )
                records.update((record_id, RetellError(fault)) for record_id, fault in page.malformed.items())
        except RetellStatusError as error:
            if error.status not in _TOO_MANY_IDS:
                raise
            self._ids_per_list = len(ids) // 2
            log.warning(
                "%s rejects a filter with %s (status %d). Next: %s",
                f"list-{self._kind.name}s",
                counted(len(ids), "id"),
                error.status,
                f"{counted(self._ids_per_list, 'id')} per request"
                if self._ids_per_list
                else f"get-{self._kind.name}",
            )
            return None
        return records

    async def _get(self, record_id: str) -> RecordState | None:
        try:
            return await self._hook.send(self._kind.get(record_id).with_parser(self._kind.state.read))
        except NotFoundError:
            return None
