"""The rows that an earlier run did not finish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import get_args

from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.file_rows import FileRows
from airflow_provider_retell.bulk.outcome import FAILURES, Outcome
from airflow_provider_retell.bulk.rows import CallableRows, Row, Rows, as_rows
from airflow_provider_retell.params.checks import text_list

# A larger number is no row of a report. One byte per row must fit into memory.
_MAX_ROWS = 2**30


class FailedRows(Rows):
    """The rows that failed in an earlier run, and the rows that it did not reach, according to its report.

    ::

        BulkUpdateCallOperator(
            task_id="repair",
            rows=FailedRows(FileRows("/data/enriched.csv"), report="/data/report.jsonl"),
        )

    The number of a row in the source selects its line in the report, so the source must return its rows in the same
    order as in the earlier run. A row is a duplicate if the earlier run has updated its call from another row.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html

    :param rows: the source of the earlier run: another row source, a list of dicts, or a function that returns dicts.
    :param report: the path of the earlier run's report (templated). It must not be the report of the new run.
    :param outcomes: the outcomes of the rows to take, for example ``["invalid"]``. Default: all that count as failed
        (``failed``, ``invalid``, ``conflict``, ``not_found``, ``not_ended``).
    :param conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :raises ValueError: if *outcomes* has an unknown outcome.
    """

    template_fields = ("rows", "report", "conn_id")

    def __init__(
        self,
        rows: Rows | Iterable[Row] | Callable[[], Iterable[Row]],
        report: str,
        outcomes: Sequence[Outcome] | None = None,
        conn_id: str | None = None,
    ) -> None:
        if outcomes is not None:
            text_list("outcomes", outcomes, choices=get_args(Outcome))
        self.rows = CallableRows(rows) if callable(rows) else rows
        self.report = report
        self.outcomes = outcomes
        self.conn_id = conn_id

    @property
    def fixed_columns(self) -> bool:  # type: ignore[override]
        """True if the rows of the source have the same columns."""
        return as_rows(self.rows).fixed_columns

    def files(self) -> list[str]:
        """Return the path of the report, and the files of the source."""
        return [str(self.report), *as_rows(self.rows).files()]

    def __str__(self) -> str:
        return f"FailedRows({as_rows(self.rows)}, report={self.report!r})"

    __repr__ = __str__

    def read(self) -> Iterator[Row]:
        """Yield the rows that are not in the report, or that are there with one of the outcomes."""
        # One byte per row: 1 for a row to skip.
        skipped = bytearray()
        for line in self._other_lines():
            number = line.get("row")
            if type(number) is int and 0 < number <= _MAX_ROWS:
                skipped.extend(bytes(max(number + 1 - len(skipped), 0)))
                skipped[number] = 1
        for number, row in enumerate(as_rows(self.rows).read(), start=1):
            if number >= len(skipped) or not skipped[number]:
                yield row

    def done_calls(self) -> Iterator[str]:
        """Yield the ids of the records that the earlier run has updated or found unchanged."""
        yield from as_rows(self.rows).done_calls()
        for line in self._other_lines():
            if line.get("outcome") in ("updated", "unchanged"):
                yield from (str(value) for name, value in line.items() if name.endswith("_id"))

    def _other_lines(self) -> Iterator[Row]:
        """Yield the report's lines of rows with other outcomes."""
        wanted = FAILURES if self.outcomes is None else self.outcomes
        try:
            for line in FileRows(self.report, self.conn_id).read():
                if line.get("outcome") not in wanted:
                    yield line
        except SourceError as error:
            # If the earlier run was killed, the end of its compressed report is missing.
            if not isinstance(error.__cause__, EOFError):
                raise
