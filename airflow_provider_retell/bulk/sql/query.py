"""Run a query and read its result."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.column_names import check_distinct
from airflow_provider_retell.bulk.rows import BATCH, Header, Row
from airflow_provider_retell.bulk.sql import drivers
from airflow_provider_retell.bulk.sql.errors import values_hidden
from airflow_provider_retell.bulk.sql.spool import Spool
from airflow_provider_retell.bulk.sql.statement import written_by
from airflow_provider_retell.bulk.sql.wire import decoder

log = logging.getLogger(__name__)


class Query:
    """A query and its result.

    The whole result is copied to a temporary file before the first row is returned. The database therefore never waits
    while rows are processed, and its connection is closed before that.

    The parameters are those of ``SqlRows``.

    :ivar size: the number of rows, or None as long as it is not known.
    """

    def __init__(
        self,
        conn_id: str,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None,
        hook_params: Mapping[str, Any] | None,
    ) -> None:
        self.size: int | None = None
        self._conn_id = conn_id
        self._sql = sql
        self._parameters = parameters
        self._hook_params = hook_params
        self._stopped = False

    def stop(self) -> None:
        """Stop copying the result at its next batch of rows. Other threads can call this."""
        self._stopped = True

    def read(self) -> Iterator[Row]:
        """Yield the header and the rows as dicts.

        :raises DatabaseError: if the query fails.
        :raises RetellConfigError: if the connection leads to no SQL database.
        :raises RetellInputError: if the statement writes or returns no rows, or if two columns have the same name.
        """
        if keyword := written_by(self._sql):
            raise RetellInputError(
                f"the statement must only read, and this one has {keyword}: a retry would read other rows. Write in a "
                "task of its own, and select the rows here"
            )
        with Spool() as spool:
            names = self._copy_to(spool)
            if self._stopped:
                return
            self.size = spool.rows
            yield Header(names)
            for values in spool.read():
                yield dict(zip(names, values, strict=True))

    def _copy_to(self, spool: Spool) -> list[str]:
        """Copy the result to *spool* and return the names of its columns."""
        hook = drivers.sql_hook(self._conn_id, self._hook_params)
        with _closing(drivers.open_database(hook)) as database:
            with values_hidden(), _closing(drivers.open_cursor(database, self._sql)) as cursor:
                cursor.execute(self._sql, *([] if self._parameters is None else [self._parameters]))
                batch = drivers.first_batch(cursor, BATCH)
                names = [column[0] for column in cursor.description]
                check_distinct(names)
                decode = decoder(cursor.description)
                while batch and not self._stopped:
                    rows = [drivers.values(row, names) for row in batch]
                    spool.add(rows if decode is None else list(map(decode, rows)))
                    batch = cursor.fetchmany(BATCH)
            drivers.commit(hook, database)
        return names


@contextmanager
def _closing(resource: Any) -> Iterator[Any]:
    """Close a cursor or a connection at the end. An error there changes nothing: the rows were read."""
    try:
        yield resource
    finally:
        try:
            resource.close()
        except Exception as error:
            # The type only: messages of drivers can have values.
            log.warning("The database could not be closed (%s)", type(error).__name__)
