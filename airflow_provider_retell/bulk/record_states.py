"""Read the current state of many records by id, 1,000 per request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow_provider_retell.api.errors import (
    AuthenticationError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RetellError,
    RetellStatusError,
)
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.common.wording import counted

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.api.response_model import Page, ResponseModel
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

FATAL = (AuthenticationError, PaymentRequiredError, PermissionDeniedError)
"""Errors that all other requests of the run would meet too."""

CHUNK = 1000
"""The largest number of records in one page, as Retell documents it."""

# Records that are missing in a listing and cannot be got either, until listings are trusted.
_CONFIRMATIONS = 20
_CONCURRENT_READS = 50
_TOO_MANY_IDS = frozenset({400, 413, 414, 422})

S = TypeVar("S", bound="ResponseModel")


@dataclass(frozen=True)
class Lookup(Generic[S]):
    """The requests that read one kind of record.

    :ivar kind: ``"call"``, for example. ``{kind}_id`` is the field with the id, and the filter of the listing.
    :ivar listing: the endpoint that lists records.
    :ivar get: the endpoint that reads one record.
    :ivar page: the model of a page, with the fields that are compared.
    :ivar state: the model of a record, with the same fields.
    """

    kind: str
    listing: Callable[..., Request[Any]]
    get: Callable[[str], Request[Any]]
    page: type[Page[S]]
    state: type[S]


class RecordStates(Generic[S]):
    """Reads records by id, with as few requests as the server allows.

    Retell does not document how many ids a filter may have. If the listing rejects a list, it is halved; if it rejects
    single ids, records are read one by one.

    Nor does Retell document that a listing is complete. Records that are missing in it are read one by one, until 20
    of them are confirmed as unknown. After that, a missing record counts as unknown without a further request. If a
    missing record is found, all further missing records are read one by one.
    """

    def __init__(self, hook: RetellAsyncHook, lookup: Lookup[S]) -> None:
        self._hook = hook
        self._lookup = lookup
        self._id_field = f"{lookup.kind}_id"
        self._ids_per_list = CHUNK
        self._confirmed = 0
        self._incomplete = False

    async def read(self, ids: Sequence[str]) -> dict[str, S | RetellError | None]:
        """Return the state of each record in *ids*; raise :class:`RetellError` if none can be read."""
        found: dict[str, S | RetellError | None] = {}
        start = 0
        while start < len(ids) and self._ids_per_list:
            part = ids[start : start + self._ids_per_list]
            if (records := await self._list(part)) is not None:
                found.update(records)
                start += len(part)
        missing = [record_id for record_id in ids if record_id not in found]
        if self._ids_per_list and not self._incomplete:
            doubtful = missing[: max(_CONFIRMATIONS - self._confirmed, 0)]
            found.update(await self._get_all(doubtful))
            self._confirmed += sum(found[record_id] is None for record_id in doubtful)
            self._incomplete = any(isinstance(found[record_id], self._lookup.state) for record_id in doubtful)
            missing = missing[len(doubtful) :]
        if not self._ids_per_list or self._incomplete:
            found.update(await self._get_all(missing))
        return {record_id: found.get(record_id) for record_id in ids}

    async def _list(self, ids: Sequence[str]) -> dict[str, S | RetellError | None] | None:
        """Return the records in a listing of *ids*, or None if Retell rejects so many ids."""
        criteria = {self._id_field: {"type": "enum", "op": "in", "value": list(ids)}}
        pages = Pages(self._lookup.listing, filter_criteria=criteria, limit=CHUNK)
        records: dict[str, S | RetellError | None] = {}
        try:
            for request in pages:
                page = await self._hook.send(request.with_parser(self._lookup.page.read))
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
                f"list-{self._lookup.kind}s",
                counted(len(ids), "id"),
                error.status,
                f"{counted(self._ids_per_list, 'id')} per request"
                if self._ids_per_list
                else f"get-{self._lookup.kind}",
            )
            return None
        return records

    async def _get_all(self, ids: Sequence[str]) -> dict[str, S | RetellError | None]:
        found: dict[str, S | RetellError | None] = {}
        for start in range(0, len(ids), _CONCURRENT_READS):
            part = ids[start : start + _CONCURRENT_READS]
            tasks = [asyncio.create_task(self._get(record_id)) for record_id in part]
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

    async def _get(self, record_id: str) -> S | RetellError | None:
        try:
            return await self._hook.send(self._lookup.get(record_id).with_parser(self._lookup.state.read))
        except NotFoundError:
            return None
        except FATAL:
            raise
        except RetellError as error:
            return error
