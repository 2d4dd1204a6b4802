"""Rows of files, and what the report of an earlier run leaves of other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from airflow_provider_retell.bulk.file_rows import FileRows
from airflow_provider_retell.bulk.rows import CallableRows, Row, Rows, as_rows

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.outcome import Outcome


class FailedRows(Rows):
    """The rows of another source that an earlier run did not do: those it failed at, and those it never came to.

    :param rows: the source that the reported run read: anything that the operator takes, in the same order.
    :param report: path of that run's report (templated).
    :param outcomes: which of the rows in the report to take, by their
        :data:`~airflow_provider_retell.bulk.outcome.Outcome`; all that count as failed if not given.
    :param conn_id: the Airflow connection to the report's storage, if its default will not do (templated).
    """

    template_fields = ("rows", "report", "conn_id")

    def __init__(
        self,
        rows: Rows | Iterable[Row] | Callable[[], Iterable[Row]],
        report: str,
        outcomes: Sequence[Outcome] | None = None,
        conn_id: str | None = None,
    ) -> None:
        self.rows = CallableRows(rows) if callable(rows) else rows
        self.report = report
        self.outcomes = outcomes
        self.conn_id = conn_id

    @property
    def fixed_columns(self) -> bool:  # type: ignore[override]
        """As the source's rows."""
        return as_rows(self.rows).fixed_columns

    def files(self) -> list[str]:
        """Return the path of the report, and those of the source."""
        return [str(self.report), *as_rows(self.rows).files()]

    def __str__(self) -> str:
        return f"FailedRows({as_rows(self.rows)}, report={self.report!r})"

    __repr__ = __str__

    def read(self) -> Iterator[Row]:
        """Yield the rows but those whose number stands in the report with another outcome."""
        done = bytearray()  # one byte per row
        for line in self._others():
            number = line.get("row")
            if isinstance(number, int):
                done.extend(bytes(max(number + 1 - len(done), 0)))
                done[number] = 1
        for number, row in enumerate(as_rows(self.rows).read(), start=1):
            if number >= len(done) or not done[number]:
                yield row

    def done_calls(self) -> Iterator[str]:
        """Yield the ids of the calls that the earlier run has brought to the state of their first row."""
        yield from as_rows(self.rows).done_calls()
        for line in self._others():
            if line.get("outcome") in ("updated", "unchanged"):
                yield str(line.get("call_id"))

    def _others(self) -> Iterator[Row]:
        """Yield the report's lines of rows that are not to be taken."""
        from airflow_provider_retell.api.errors import RetellInputError
        from airflow_provider_retell.bulk.errors import SourceError
        from airflow_provider_retell.bulk.outcome import FAILURES, Outcome

        wanted = FAILURES if self.outcomes is None else tuple(self.outcomes)
        if unknown := set(wanted) - set(get_args(Outcome)):
            raise RetellInputError(
                f"FailedRows: outcomes are {', '.join(get_args(Outcome))}, not {', '.join(sorted(unknown))}"
            )
        try:
            for line in FileRows(self.report, self.conn_id).read():
                if line.get("outcome") not in wanted:
                    yield line
        except SourceError as error:
            # The end of a compressed report is missing if its run was killed.
            if not isinstance(error.__cause__, EOFError):
                raise
