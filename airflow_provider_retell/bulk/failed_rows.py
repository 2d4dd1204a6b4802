"""The rows that an earlier run did not finish."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.errors import IncompleteFileError
from airflow_provider_retell.bulk.file_rows import FileRows
from airflow_provider_retell.bulk.given_rows import as_rows
from airflow_provider_retell.bulk.outcome import FAILURES, Outcome, line_id, line_kind
from airflow_provider_retell.bulk.rows import Header, Row, Rows
from airflow_provider_retell.bulk.source import shown_field
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.common.wording import counted, listed
from airflow_provider_retell.params.checks import text_list
from airflow_provider_retell.params.rendered import check_not_empty

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.earlier_rows import EarlierRows

log = logging.getLogger(__name__)

_SHOWN_CALLS = 10


class FailedRows(Rows):
    """The rows that failed in an earlier run, and the rows that it did not reach, according to its report.

    ::

        from airflow_provider_retell.bulk import FailedRows, FileRows
        from airflow_provider_retell.operators import BulkUpdateCallOperator

        BulkUpdateCallOperator(
            task_id="repair",
            rows=FailedRows(FileRows("/data/enriched.csv"), report_path="/data/report.jsonl"),
        )

    The call id of a row selects its line in the report, so the source can have another order than in the earlier run,
    and lack rows. The number of a row counts only for rows without a call id. The rows keep their numbers in the
    source. If a call has rows that failed as duplicates, all its rows are processed again. A warning in the log names
    failed calls that the source lacks.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html

    :param rows: the source of the earlier run: another row source, a list of dicts, or a function that returns dicts.
    :param report_path: the path of the earlier run's report (templated). The last line of a call counts. It must not
        be the report of the new run. With a report without lines, all rows run, and the log has a warning.
    :param outcomes: the outcomes of the rows to take, for example ``["invalid"]``. Default: all that count as failed
        (``failed``, ``invalid``, ``conflict``, ``not_found``, ``not_ended``).
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's
        default connection.
    :raises ValueError: if *outcomes* has an unknown outcome.
    :raises RetellInputError: when the task runs, if the report has lines, but none of a report.
    """

    template_fields = ("rows", "report_path", "report_conn_id")

    def __init__(
        self,
        rows: Rows | Iterable[Row] | Callable[[], Iterable[Row]],
        report_path: str,
        outcomes: Sequence[Outcome] | None = None,
        report_conn_id: str | None = None,
    ) -> None:
        if outcomes is not None:
            text_list("outcomes", outcomes, choices=get_args(Outcome))
        # Airflow would call a function in a template field itself.
        self.rows = as_rows(rows) if callable(rows) else rows
        self.report_path: Any = report_path
        self.outcomes = outcomes
        self.report_conn_id = report_conn_id
        self._has_read = False

    def stop(self) -> None:
        """Stop the source."""
        as_rows(self.rows).stop()

    def bind(self, context: Mapping[str, Any]) -> None:
        """Pass the context to the source, which may be a function."""
        self.rows = as_rows(self.rows)
        self.rows.bind(context)

    def files(self) -> list[str]:
        """Return the path of the report, and the files of the source."""
        check_not_empty(self.report_path, "report_path of FailedRows")
        return [str(self.report_path), *as_rows(self.rows).files()]

    def __str__(self) -> str:
        rows = as_rows(self.rows) if isinstance(self.rows, (Rows, list, tuple)) else shown_field(self.rows)
        return f"FailedRows({rows}, report_path={shown_field(self.report_path)})"

    def label(self) -> str:
        """Return the class and the report."""
        return f"FailedRows(report_path={shown_field(self.report_path)})"

    def empty_text(self) -> str:
        """Return whether the source or the report is the reason."""
        if self._has_read:
            return "According to the report, no row of the source is left to process"
        return as_rows(self.rows).empty_text()

    def read(self) -> Iterator[Row]:
        """Yield the rows that are not in the report, or that are there with one of the outcomes."""
        earlier, source = self._earlier(), self._source()
        if earlier.is_empty:
            log.warning(
                "The report %s has no lines, so all rows of the source run. The earlier run had no rows, or was "
                "stopped before it wrote a line",
                safe_path(str(self.report_path)),
            )
        self._has_read = False
        count = 0
        for row in source.read():
            if isinstance(row, Header):
                yield row
                continue
            self._has_read = True
            count += 1
            number = source.row_number or count
            if earlier.take(number, row):
                self.row_number = number
                yield row
        self._warn_of_missing(earlier)
        if left_out := earlier.left_out:
            one = len(left_out) == 1
            log.warning(
                "Left out row%s %s: %s no call id in the earlier run, and now %s that of a call that was finished "
                "then. To write %s, use the source without FailedRows",
                "" if one else "s",
                listed(left_out, _SHOWN_CALLS),
                "it had" if one else "they had",
                "has" if one else "have",
                "it" if one else "them",
            )

    def done_records(self) -> Iterator[str]:
        """Yield the ids of the calls that the earlier run has updated or found unchanged."""
        yield from self._source().done_records()
        earlier = self._earlier()
        for line in self._lines():
            if line.get("outcome") in ("updated", "unchanged") and earlier.is_done(line_id(line)):
                yield str(line_id(line))

    def _source(self) -> Rows:
        source = as_rows(self.rows)
        source.key_column = self.key_column
        return source

    def _earlier(self) -> EarlierRows:
        from airflow_provider_retell.bulk.earlier_rows import EarlierRows

        wanted = FAILURES if self.outcomes is None else self.outcomes
        earlier = EarlierRows(self._lines(), wanted, self.key_column)
        if not earlier.is_report and not earlier.is_empty:
            raise RetellInputError(
                f"{safe_path(str(self.report_path))} is not a report of a bulk update: none of its lines has the "
                "outcome of a row. Set report_path to the report_path of the earlier run, or use the source without "
                "FailedRows to process all rows"
            )
        return earlier

    def _warn_of_missing(self, earlier: EarlierRows) -> None:
        from airflow_provider_retell.api.encode import safe_name

        missing, kind = 0, "call"
        shown: list[str] = []
        for line in self._lines():
            if earlier.pop_missing(line):
                missing, kind = missing + 1, line_kind(line)
                # Any file can be taken for a report.
                shown += [safe_name(str(line_id(line)))] if len(shown) < _SHOWN_CALLS else []
        if missing:
            more = f" and {missing - len(shown):,} more" if missing > len(shown) else ""
            log.warning(
                "The source does not have the rows of %s that failed in the earlier run: %s%s",
                counted(missing, kind),
                ", ".join(shown),
                more,
            )

    def _lines(self) -> Iterator[Row]:
        check_not_empty(self.report_path, "report_path of FailedRows")
        try:
            yield from FileRows(self.report_path, self.report_conn_id).read()
        except IncompleteFileError:
            # If the earlier run was killed, the end of its compressed report is missing.
            return
