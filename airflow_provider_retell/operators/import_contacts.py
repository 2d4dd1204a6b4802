"""The operator that imports contacts from rows with Retell's CSV import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, cast

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk.column_names import names_by_column
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator, SentRequests
from airflow_provider_retell.operators.contact_rows import ContactRowsOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_bool

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.errors import RetellError
    from airflow_provider_retell.bulk.bookkeeping import Progress
    from airflow_provider_retell.bulk.contacts.import_jobs import ImportJobs
    from airflow_provider_retell.bulk.resource import Resource
    from airflow_provider_retell.bulk.row_limits import OnEmpty
    from airflow_provider_retell.hooks.retell import RetellAsyncHook
    from airflow_provider_retell.operators.contact_imports import StartedImports
    from airflow_provider_retell.operators.rows_base import AnyRows


class ImportContactsOperator(ContactRowsOperator, AtMostOnceOperator):
    """Create and update many contacts from rows with one CSV file, for a first load. Contacts are matched by number.

    The task reads all contacts, compares every row, and imports the rows that differ. It imports nothing if a row is
    invalid, the source fails, has no rows or lacks a column that the task names, if the run would clear a do-not-call
    mark without ``allow_clearing_do_not_call=True``, or if it would update more contacts than ``max_changed_ratio``
    allows. Contacts without a row are not changed.

    ::

        from airflow_provider_retell.bulk import SqlRows
        from airflow_provider_retell.operators import ImportContactsOperator

        ImportContactsOperator(
            task_id="first_load",
            rows=SqlRows("warehouse", "select phone, first_name, plan, opted_out from customers"),
            phone_number_column="phone",
            columns=["first_name", "plan"],
            do_not_call_column="opted_out",
        )

    An organization has one import at a time: the task waits for an import that is running. It starts each of its own at
    most once. If it is unknown whether an earlier try has started one, the task compares the rows with the contacts. If
    rows still differ, it fails without retries.

    Retell counts the rows that it cannot import, and does not name them. After the import, the task therefore reads all
    contacts again: rows whose contact does not have their values are ``failed``. Marks are set in a file of their own,
    and cleared one by one, so that the import clears no mark.

    The manifest in XCom, the XCom ``failures`` and the report are those of
    :class:`~airflow_provider_retell.operators.SyncContactsOperator`. The manifest also has ``imports``: for each file
    its ``part`` (``do_not_call`` or ``other``), the ``start_timestamp`` of the import, the number of ``rows``, Retell's
    counts ``succeeded`` and ``failed``, and ``found``, which is True if the import was only recognized by its start
    time. Unknown values are null. Phone numbers and values are never in logs, XCom or the report.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/contacts.html
    - API: https://docs.retellai.com/api-references/create-contact-import

    :param rows: :class:`~airflow_provider_retell.bulk.SqlRows`, :class:`~airflow_provider_retell.bulk.FileRows`, a
        list of dicts, a DataFrame of pandas or polars, an Arrow table, a template that renders to such a list, or a
        function that returns one of these or yields dicts (templated).
    :param phone_number_column: the column with the phone number in E.164 format, for example ``+14155550123``. Other
        formats are invalid. A second row with the same number is invalid. Default: ``phone_number``.
    :param columns: the columns with ``first_name``, ``last_name`` or custom fields: a list, or a dict from column to
        field. Custom fields must be defined in Retell's CRM configuration. Nulls and blank text never change anything.
        Default: none.
    :param do_not_call_column: the column with the do-not-call mark: true, false, 1, 0 or the same as text. A null
        keeps the mark, and other values make the row invalid. Default: marks are not changed.
    :param allow_clearing_do_not_call: True to allow the run to clear do-not-call marks. Requires
        ``do_not_call_column``.
    :param max_changed_ratio: the largest share of the contacts in Retell that the run may update, 0 to 1. New contacts
        do not count. Default: 0.5.
    :param column_names: the names of the columns, if rows are tuples or lists, as the output of Airflow's SQL
        operators.
    :param dry_run: True to import nothing (templated).
    :param report_path: a file for one line of JSON per row (``row``, ``contact_id``, ``outcome``, ``reason``,
        ``changed``), as for calls (templated). Default: no report.
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :param concurrency: the largest number of marks that are cleared at the same time, 1 to 256. Default: 16.
    :param quota: the quota of each route except list-contacts, for example ``"100/10"`` for 100 requests in 10 seconds.
        Default: the connection's.
    :param max_failed_rows: the largest number of invalid or failed rows with which the task succeeds. If more rows are
        invalid, nothing is imported. Default: 0, or no limit if ``max_failed_ratio`` is set.
    :param max_failed_ratio: the same as a share of the rows, 0 to 1. Default: no limit.
    :param min_rows: the smallest number of rows. If there are fewer, nothing is imported. Default: 0.
    :param on_empty: the result of a task whose source has no rows: ``"fail"`` (default), ``"skip"`` or ``"success"``.
    :param poll_interval: seconds between two polls of an import, or a timedelta. Default: 10 seconds.
    :param wait_timeout: seconds after which the wait for an import fails, or a timedelta. Default: 2 hours. A retry
        continues to wait.
    :param max_poll_failures: the number of consecutive failed polls that a wait tolerates. Default: 10.
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): it compares the rows, and starts no
        import again. ``"resend"``: it imports the rows that differ, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises RowsFailedError: if the source has no or too few rows. Nothing was imported.
    :raises WaitTimeoutError: if a wait reached ``wait_timeout``. A retry continues to wait.
    :raises BulkStoppedError: if the task was stopped, or Retell or the network failed. A retry continues.
    :raises AirflowFailException: if a retry cannot help: too many rows are invalid or were not imported, the run would
        clear marks, or it is unknown whether Retell has started an import.
    """

    next_step = "Run the task again. It starts no import that it has started before"
    _imports: StartedImports  # of the present try

    def __init__(
        self,
        *,
        rows: AnyRows,
        phone_number_column: str = "phone_number",
        columns: Mapping[str, str] | Sequence[str] = (),
        do_not_call_column: str | None = None,
        allow_clearing_do_not_call: bool = False,
        max_changed_ratio: float = 0.5,
        column_names: Sequence[str] | None = None,
        dry_run: bool | str | XComArg = False,
        report_path: str | XComArg | None = None,
        report_conn_id: str | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        min_rows: int = 0,
        on_empty: OnEmpty = "fail",
        poll_interval: float | timedelta = 10,
        wait_timeout: float | timedelta = 7200,
        max_poll_failures: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rows=rows,
            phone_number_column=phone_number_column,
            columns=columns,
            do_not_call_column=do_not_call_column,
            tag_columns=(),  # Retell's import knows no tags
            allow_clearing_do_not_call=allow_clearing_do_not_call,
            max_changed_ratio=max_changed_ratio,
            column_names=column_names,
            dry_run=dry_run,
            report_path=report_path,
            report_conn_id=report_conn_id,
            concurrency=concurrency,
            quota=quota,
            max_failed_rows=max_failed_rows,
            max_failed_ratio=max_failed_ratio,
            min_rows=min_rows,
            on_empty=on_empty,
            **kwargs,
        )
        checks.whole_number("max_poll_failures", max_poll_failures, 0)
        self.poll_interval = checks.in_seconds("poll_interval", poll_interval, positive=True)
        self.wait_timeout = checks.in_seconds("wait_timeout", wait_timeout)
        self.max_poll_failures = max_poll_failures

    def work(self, context: Context) -> None:
        """Import the rows that differ, and fail for good if some were not imported."""
        from airflow_provider_retell.operators.contact_imports import StartedImports

        self._imports = imports = StartedImports(self, context)
        try:
            super().work(context)
        except RowsFailedError as error:
            if not imports.records:
                raise
            raise AirflowFailException(
                f"{error}\nThe task starts no further import. Correct the rows, and run SyncContactsOperator with all "
                "of them: it sends only the remaining differences, with Retell's reason for each row that fails"
            ) from None

    def resource(self, hook: RetellAsyncHook) -> Resource[Any, Any]:
        """Return the import of contacts."""
        from airflow_provider_retell.bulk.contacts.columns import ContactColumns, check_source
        from airflow_provider_retell.bulk.contacts.csv_import import ContactImport

        check_source(self._source)
        columns = ContactColumns(
            phone_number=self.phone_number_column,
            fields=names_by_column("columns", self.columns) or {},
            do_not_call=self.do_not_call_column,
        )
        return ContactImport(
            hook,
            columns,
            self._jobs(hook),
            self._check_rows,
            dry_run=as_bool(self.dry_run, "dry_run"),
            allow_clearing=self.allow_clearing_do_not_call,
            max_changed_ratio=self.max_changed_ratio,
        )

    def _jobs(self, hook: RetellAsyncHook) -> ImportJobs:
        from airflow_provider_retell.bulk.contacts.import_jobs import ImportJobs
        from airflow_provider_retell.hooks.retell import RetellAsyncHook
        from airflow_provider_retell.hooks.shared import POLL_RETRY
        from airflow_provider_retell.waiting.polling import Polling

        polling = Polling(
            lambda: RetellAsyncHook(self.retell_conn_id, retry=POLL_RETRY),
            self.poll_interval,
            self.wait_timeout,
            self.max_poll_failures,
        )
        return ImportJobs(hook, polling.wait_for, self._imports, self.poll_interval)

    def _check_rows(self, differing: int) -> None:
        """Raise :class:`RowsFailedError` before the import if too many rows are invalid."""
        from airflow_provider_retell.bulk.outcome import FailureLimits

        manifest = cast("Progress", self._progress).manifest()
        rows = manifest["rows"] + differing
        limits = FailureLimits(self.max_failed_rows, self.max_failed_ratio)
        try:
            limits.check({**manifest, "rows": rows})
        except RowsFailedError as error:
            error.args = (f"Nothing was imported: {error}",)
            raise

    def _fail_unprocessed(self, sent: SentRequests, error: RetellError) -> NoReturn:
        self._imports.check_busy(sent, error)
        super()._fail_unprocessed(sent, error)

    def manifest(self, progress: Progress) -> dict[str, Any]:
        """Return the manifest of the run so far, with the imports of all tries."""
        imports = []
        for record in self._imports.records:
            counts = self._imports.counts.get(record["part"], {})
            imports.append(
                {
                    "part": record["part"],
                    "start_timestamp": record["start_timestamp"] or counts.get("start_timestamp"),
                    "rows": record["rows"],
                    "succeeded": counts.get("succeeded"),
                    "failed": counts.get("failed"),
                    "found": record["found"],
                }
            )
        return progress.manifest() | {"imports": imports}
