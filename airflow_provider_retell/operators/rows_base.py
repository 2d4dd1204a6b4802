"""Base classes of the operators that process many rows."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException, BaseOperatorLink
from airflow_provider_retell._compat.task_context import add_asset_event
from airflow_provider_retell.api.errors import RetellConfigError
from airflow_provider_retell.bulk.errors import RESUME, BulkStoppedError, RowsFailedError
from airflow_provider_retell.bulk.given_rows import as_field, from_field
from airflow_provider_retell.bulk.row_limits import OnEmpty, RowLimits
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.hooks.metrics import count_rows
from airflow_provider_retell.links.report import RetellReportLink
from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.operators.reporting import ReportingOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_bool, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.quota import Rate
    from airflow_provider_retell.bulk.bookkeeping import Progress
    from airflow_provider_retell.bulk.outcome import FailureLimits, Result
    from airflow_provider_retell.bulk.report import Report
    from airflow_provider_retell.bulk.resource import Difference, Resource
    from airflow_provider_retell.bulk.rows import Rows
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

    AnyRows: TypeAlias = Rows | str | Iterable[Any] | Callable[..., Iterable[Any]] | XComArg

log = logging.getLogger(__name__)

Tolerated = Literal["not_found", "not_ended"]

MANIFEST_KEY = "manifest"
"""The XCom key of the manifest."""

FAILURES_KEY = "failures"
"""The XCom key of the first failed rows."""


class RowsOperator(LoopOperator, ReportingOperator):
    """Base class of the operators that process rows, with a report and limits for failed rows.

    The operators describe the parameters. They do their work in :meth:`process`.

    :cvar next_step: the end of the message of a task that was stopped.
    :ivar key_column: the column with the key of a row. Subclasses set it.
    """

    template_fields: Sequence[str] = ("rows", "report_path", "report_conn_id", "retell_conn_id")
    # The file of a query in SqlRows.
    template_ext: Sequence[str] = (".sql",)
    masked_fields: Sequence[str] = ("rows",)
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellReportLink(),)
    next_step: ClassVar[str] = RESUME
    key_column: str

    def __init__(
        self,
        *,
        rows: AnyRows | None,
        column_names: Sequence[str] | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        tolerate: Sequence[Tolerated] = (),
        min_rows: int = 0,
        on_empty: OnEmpty = "success",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.whole_number("concurrency", concurrency, 1, 256)
        if max_failed_rows is not None:
            checks.whole_number("max_failed_rows", max_failed_rows, 0)
        if max_failed_ratio is not None:
            checks.between("max_failed_ratio", max_failed_ratio, 0, 1)
        checks.whole_number("min_rows", min_rows, 0)
        checks.one_of("on_empty", on_empty, get_args(OnEmpty))
        _parse_quota(quota)
        self.column_names = None if column_names is None else checks.text_list("column_names", column_names)
        self.rows = as_field(rows, self.column_names)
        self.depend_on_xcoms_in(self.rows)
        self.concurrency = concurrency
        self.quota = quota
        self.max_failed_rows = max_failed_rows
        self.max_failed_ratio = max_failed_ratio
        self.tolerate = checks.text_list("tolerate", tolerate, choices=get_args(Tolerated))
        self.min_rows = min_rows
        self.on_empty = on_empty
        self._progress: Progress | None = None
        self._source: Rows | None = None

    @abstractmethod
    async def process(self, context: Context, limits: FailureLimits, report: Report) -> None:
        """Process all rows. Set ``_progress`` before the first one."""

    def manifest(self, progress: Progress) -> dict[str, Any]:
        """Return the manifest of the run so far."""
        return progress.manifest()

    def log_details(self) -> None:
        """Log more about the run than its manifest."""

    def work(self, context: Context) -> None:
        """Process the rows, push the manifest, and fail if too many rows failed."""
        from airflow_provider_retell.bulk.failed_table import log_failed_rows
        from airflow_provider_retell.bulk.outcome import FailureLimits
        from airflow_provider_retell.bulk.report import Report
        from airflow_provider_retell.bulk.task_tries import TryId

        self.check_report_path(context)
        report = Report(self.rendered("report_path", as_text), self.report_conn_id, TryId.of(context))
        limits = FailureLimits(self.max_failed_rows, self.max_failed_ratio, self.tolerate)
        manifest: dict[str, Any] = {}
        failures: list[Result] = []
        self._reset()
        try:
            self.run_loop(self.process(context, limits, report))
        except asyncio.CancelledError:
            rows = counted(self._progress.rows if self._progress else 0, "row")
            raise BulkStoppedError(f"Stopped on request after {rows}. {self.next_step}") from None
        finally:
            if self._progress is not None:
                manifest = self.manifest(self._progress)
                context["ti"].xcom_push(key=MANIFEST_KEY, value=manifest)
                failures = self._progress.first_failures()
                context["ti"].xcom_push(key=FAILURES_KEY, value=[failure.line() for failure in failures])
                self._add_to_asset_events(context, manifest)
                count_rows(self._progress.counts.items(), context["ti"])
                self.log_details()
                log_failed_rows(failures, manifest["failed_rows"])
        row_limits = self.row_limits()
        if row_limits.skips(manifest["rows"]):
            raise AirflowSkipException(row_limits.empty_text)
        try:
            limits.check(manifest, failures)
        except RowsFailedError as error:
            if error.permanent:
                # Not "from error", because Airflow would log the same message twice.
                raise AirflowFailException(str(error)) from None
            raise
        if failed := limits.count(manifest):
            rows = counted(manifest["rows"], "row")
            log.warning("%s of %s failed, within the limits of the task", f"{failed:,}", rows)

    def _reset(self) -> None:
        self._progress = None

    def new_hook(self) -> RetellAsyncHook:
        """Return the hook of a run, with its quota."""
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        return RetellAsyncHook(
            self.retell_conn_id, connections=self.concurrency, quota=_parse_quota(self.quota)
        )

    def open_rows(self, context: Context, report: Report) -> Rows:
        """Return the source of the rows.

        :raises RetellInputError: if the report would overwrite one of the source's files.
        """
        rows = from_field(unmask(self.rows), self.column_names)
        rows.key_column = self.key_column
        rows.bind(context)
        self._source = rows
        report.check(rows.files())
        return rows

    def row_limits(self) -> RowLimits:
        """Return the number of rows that the task expects. Call :meth:`open_rows` before."""
        if self._source is None:
            return RowLimits(self.min_rows, self.on_empty)
        return RowLimits(self.min_rows, self.on_empty, self._source.label(), self._source.empty_text())

    def _add_to_asset_events(self, context: Context, manifest: Mapping[str, Any]) -> None:
        counts = {name: value for name, value in manifest.items() if name != "report" and value is not None}
        for outlet in self.outlets or ():
            add_asset_event(context, outlet, {**counts, "report": manifest["report"] or ""})


class BulkOperator(RowsOperator):
    """Base class of the operators that compare rows with records and send the differences.

    They create the :class:`~airflow_provider_retell.bulk.resource.Resource` of a run in :meth:`resource`.

    :cvar show_values: True if a dry run logs the values of the first differences too.
    """

    template_fields: Sequence[str] = ("rows", "dry_run", "report_path", "report_conn_id", "retell_conn_id")

    show_values = False

    def __init__(self, *, dry_run: bool | str | XComArg = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]
        self._differences: list[Difference] = []

    @abstractmethod
    def resource(self, hook: RetellAsyncHook) -> Resource[Any, Any]:
        """Return the kind of record, for one run with its open hook."""

    async def process(self, context: Context, limits: FailureLimits, report: Report) -> None:
        """Compare all rows with the records, and send the differences."""
        from airflow_provider_retell.bulk.engine import BulkUpdate

        dry_run = as_bool(self.dry_run, "dry_run")
        rows = self.open_rows(context, report)
        async with self.new_hook() as hook:
            update = BulkUpdate(
                hook,
                rows,
                self.resource(hook),
                report,
                self.concurrency,
                limits,
                row_limits=self.row_limits(),
                dry_run=dry_run,
            )
            self._differences = update.differences
            self._progress = update.progress
            await update.run()

    def log_details(self) -> None:
        """Log the first differences that a dry run found."""
        for difference in self._differences:
            log.info("Would %s: %s", difference.action, ", ".join(difference.changed))
            if self.show_values:
                for key, before in difference.before.items():
                    log.info("  %s: %r -> %r", key, before, difference.after[key])


def _parse_quota(quota: str | None) -> Rate | None:
    if quota is None:
        return None
    from airflow_provider_retell.api.quota import Rate

    try:
        return Rate.parse(str(quota))
    except RetellConfigError:
        raise ValueError(
            f"quota must have the form '100/10' (requests, a slash, seconds), not {quota!r}"
        ) from None
