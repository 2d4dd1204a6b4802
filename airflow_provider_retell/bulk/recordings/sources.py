"""The calls whose files are archived: from a listing, or from rows."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.files import FILES
from airflow_provider_retell.api.calls.recordings import ArchivedCall, ArchivedCallPage
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.request import check_id
from airflow_provider_retell.bulk.digest_set import DigestSet
from airflow_provider_retell.bulk.outcome import DUPLICATE, Result
from airflow_provider_retell.bulk.rows import BadRow, Header, Row, Rows
from airflow_provider_retell.common.threads import WorkerThread

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

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
    ids, row = DigestSet(), 0
    for request in pages:
        for call in pages.read(await hook.send(request), malformed=True):
            if ids.add(call.call_id):
                row += 1
                yield Item(row, call.call_id, call.links(), call)


def _list_calls(**arguments: Any) -> Request[ArchivedCallPage]:
    return endpoints.list_calls(**arguments).with_parser(ArchivedCallPage.read)


async def given(rows: Rows, column: str) -> AsyncIterator[Item | Result]:
    """Yield the calls of *rows*, and the results of rows that name none.

    :param column: the column with the call's id.
    :raises RetellInputError: if the source has fixed columns and lacks *column*.
    :raises Exception: the error of the source, after the rows before it.
    """
    reader = _RowReader(column, fixed_columns=rows.fixed_columns)
    # One thread for all rows, because most databases want a cursor to stay on its thread.
    async with WorkerThread("retell-rows", exit_timeout=_CLOSE_SECONDS) as source:
        content = await source.enter(closing(_OpenRows(rows)))
        failure: Exception | None = None
        try:
            while failure is None:
                chunk, failure = await source.run(content.take, _CHUNK)
                if not chunk:
                    break
                for row in chunk:
                    if (item := reader.read(row)) is not None:
                        yield item
        finally:
            rows.stop()
        if failure is not None:
            raise failure


class _OpenRows:
    """An open source."""

    def __init__(self, rows: Rows) -> None:
        self._rows: Any = iter(rows.read())

    def take(self, most: int) -> tuple[list[Row], Exception | None]:
        """Return the next rows, and the error of the source after them."""
        taken: list[Row] = []
        try:
            for row in islice(self._rows, most):
                taken.append(row)
        except Exception as error:
            return taken, error
        return taken, None

    def close(self) -> None:
        try:
            getattr(self._rows, "close", lambda: None)()
        except Exception:
            log.warning("The source of the rows could not be closed", exc_info=True)


class _RowReader:
    def __init__(self, column: str, *, fixed_columns: bool) -> None:
        self._column = column
        self._fixed_columns = fixed_columns
        self._ids = DigestSet()
        self._number = 0

    def read(self, row: Row) -> Item | Result | None:
        """Return the call that *row* names, or the result of an invalid row; None for a header."""
        if isinstance(row, Header):
            self._check_columns(row)
            return None
        self._number += 1
        if isinstance(row, BadRow):
            return Result(self._number, None, "invalid", row.reason)
        if self._column not in row:
            if self._fixed_columns and self._number == 1:
                self._check_columns(row)
            return Result(self._number, None, "invalid", f"the row has no {self._column!r}")
        value = row[self._column]
        try:
            call_id = check_id(str(value) if type(value) is int else value, self._column)
        except RetellInputError as error:
            return Result(self._number, None, "invalid", error.fault)
        if not self._ids.add(call_id):
            return Result(self._number, call_id, "invalid", f"{DUPLICATE}call id")
        return Item(self._number, call_id, dict(_links(row)))

    def _check_columns(self, row: Row) -> None:
        if self._column not in row:
            raise RetellInputError(
                f"the rows have no column {self._column}. Name the column with the call's id"
            )


def _links(row: Row) -> Iterator[tuple[str, str]]:
    for name, kind in FILES.items():
        link = row.get(kind.field)
        if isinstance(link, str) and link.strip():
            yield name, link.strip()
