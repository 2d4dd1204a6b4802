"""The calls whose files are archived: from a listing, or from rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.files import FILES
from airflow_provider_retell.api.calls.recordings import ArchivedCall
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.response_model import Page
from airflow_provider_retell.bulk.digest_map import DigestMap
from airflow_provider_retell.bulk.errors import InvalidRowError
from airflow_provider_retell.bulk.named_columns import NamedColumns
from airflow_provider_retell.bulk.outcome import Result, duplicate
from airflow_provider_retell.bulk.row_chunks import open_rows, take
from airflow_provider_retell.bulk.rows import Row, Rows
from airflow_provider_retell.common.threads import WorkerThread

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

_PAGE = 500
_CHUNK = 500
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class Item:
    """A call to archive.

    :ivar row: the number of the row or of the call in the listing, from 1.
    :ivar links: the known links, by the name of the file. They may have expired.
    :ivar call: the call as Retell has just listed it, or None.
    """

    row: int
    call_id: str
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    call: ArchivedCall | None = None


async def listed(hook: RetellAsyncHook, criteria: Mapping[str, Any] | None) -> AsyncIterator[Item]:
    """Yield the calls that meet *criteria*, oldest first."""
    pages = Pages(_list_calls, filter_criteria=criteria, sort_order="ascending", limit=_PAGE)
    ids, row = DigestMap(), 0
    for request in pages:
        for call in pages.read(await hook.send(request), malformed=True):
            if not ids.setdefault(call.call_id, 1):
                row += 1
                yield Item(row, call.call_id, call.links(), call)


def _list_calls(**arguments: Any) -> Request[Page[ArchivedCall]]:
    return endpoints.list_calls(**arguments).with_parser(Page[ArchivedCall].read)


async def given(rows: Rows, column: str) -> AsyncIterator[Item | Result]:
    """Yield the calls of *rows*, and the results of rows that name none.

    :param column: the column with the call's id.
    :raises RetellInputError: if the source has a header without *column*.
    :raises Exception: the error of the source, after the rows before it.
    """
    columns, rows_by_id = NamedColumns(column, ()), DigestMap("I")
    # One thread for all rows, because most databases want a cursor to stay on its thread.
    async with WorkerThread("retell-rows", exit_timeout=_CLOSE_SECONDS) as source:
        content = await source.enter(open_rows(rows, columns.check_header))
        failure: Exception | None = None
        try:
            while failure is None:
                chunk, failure = await source.run(take, content, _CHUNK)
                if not chunk:
                    break
                for number, row in chunk:
                    yield _item(number, row, columns, rows_by_id)
        finally:
            rows.stop()
        if failure is not None:
            raise failure


def _item(number: int, row: Row, columns: NamedColumns, rows_by_id: DigestMap) -> Item | Result:
    """Return the call that *row* names, or the result of an invalid row."""
    try:
        call_id = columns.id_of(row)
    except InvalidRowError as invalid:
        return Result(number, None, "invalid", invalid.fault)
    if earlier := rows_by_id.setdefault(call_id, number):
        return Result(number, call_id, "invalid", duplicate("call id", earlier))
    return Item(number, call_id, dict(_links(row)))


def _links(row: Row) -> Iterator[tuple[str, str]]:
    for name, kind in FILES.items():
        link = row.get(kind.field)
        if isinstance(link, str) and link.strip():
            yield name, link.strip()
