"""The operator that archives recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.files import FILE_NAMES
from airflow_provider_retell.bulk.recordings.archive_paths import check_path
from airflow_provider_retell.operators.data_interval import window_of, within
from airflow_provider_retell.operators.rows_base import RowsOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.bulk.bookkeeping import Progress
    from airflow_provider_retell.bulk.outcome import FailureLimits, Result
    from airflow_provider_retell.bulk.recordings.run import ArchiveRun
    from airflow_provider_retell.bulk.recordings.sources import Item
    from airflow_provider_retell.bulk.report import Report
    from airflow_provider_retell.bulk.row_limits import OnEmpty
    from airflow_provider_retell.bulk.rows import Rows
    from airflow_provider_retell.hooks.retell import RetellAsyncHook
    from airflow_provider_retell.operators.rows_base import AnyRows, Tolerated

_WITHOUT_INTERVAL = "To archive without an interval, set rows"


class ArchiveRecordingsOperator(RowsOperator):
    """Copy the recordings of calls to your own storage, before Retell's links expire.

    The calls are those that ended in the run's data interval, or those in ``rows``. The task streams the files, and
    writes each one atomically: a path has a complete file or none. It skips files that are there with the right size,
    so a second run copies only the missing ones. A call without a recording is no failure.

    ::

        from airflow_provider_retell.operators import ArchiveRecordingsOperator

        ArchiveRecordingsOperator(
            task_id="archive",
            path="s3://bucket/recordings/{call_id}.wav",
            files=["recording", "transcript"],
        )

    The files contain personal data: keep them as long as your agreements allow, and no longer.

    The task has no return value. It pushes a *manifest* to XCom under the key ``manifest``, even if it fails. The
    manifest is a dict with these keys:

    - ``rows``: the number of calls with an outcome.
    - ``complete``: True if these are all calls, and False if the run stopped early.
    - ``archived``, ``unchanged``, ``no_recording``, ``not_found``, ``not_ended``, ``invalid`` and ``failed``: the
      number of calls with each outcome. They add up to ``rows``. ``unchanged``: all files were there.
    - ``failed_rows``: the number of calls that count as failed.
    - ``no_recording_causes``: the number of calls without any of the files because of ``not_connected``,
      ``storage_setting`` or ``removed`` (by the agent's retention, or never recorded).
    - ``files``: the number of files that were written, by name, and ``bytes``: their size.
    - ``window``: the first and the last epoch millisecond of the data interval, or None with ``rows``.
    - ``requests``: the number of requests to Retell's API, including retries.
    - ``seconds``: the duration of the run, and ``waited_seconds``: how long the quota delayed requests.
    - ``report``: the path of the report, or None.
    - ``task_run``: the number of ``tries``, and the same counts over all tries, each call counted once.
    - ``schema_version``: 1.

    It also pushes the first 200 calls that count as failed, under the key ``failures``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/recordings.html
    - API: https://docs.retellai.com/api-references/get-call

    :param path: the path of recordings, a local path or a URL with the placeholder ``{call_id}`` that ends in ``.wav``
        (templated). The other files of a call have names that begin with the same text.
    :param path_conn_id: the Airflow connection of the storage (templated). Default: the storage's default connection.
    :param files: the files to copy: ``"recording"`` (default), ``"recording_multi_channel"``, ``"scrubbed_recording"``,
        ``"scrubbed_recording_multi_channel"``, ``"public_log"`` and ``"transcript"``. A transcript costs one request
        per call, unless its file exists.
    :param rows: a row source, a list of dicts, a template that renders to such a list, or a function that returns or
        yields dicts (templated). Columns with Retell's names, such as ``recording_url``, are used as links.
        Calls without a link, or with one that has expired, are read. Default: the calls of the data interval.
    :param call_id_column: the column of ``rows`` with the call's id. Default: ``call_id``.
    :param column_names: the names of the columns, if ``rows`` are tuples or lists, as the output of Airflow's SQL
        operators.
    :param filter_criteria: conditions that the calls of the data interval must meet, in the form of list-calls: a dict,
        or a template that renders to a JSON object (templated).
    :param overlap: how long before the interval the listing begins, in seconds or as a timedelta. Default: 30 minutes,
        because a recording may be complete after the end of its interval.
    :param report_path: a file for one line of JSON per call (templated), as for
        :class:`~airflow_provider_retell.operators.bulk.BulkUpdateCallOperator`. ``changed`` has the names of the files
        that were written. Default: no report.
    :param report_conn_id: the Airflow connection of the report's storage (templated).
    :param concurrency: the number of calls that are copied at the same time, 1 to 64. Default: 16.
    :param quota: the quota of each route except list-calls, for example ``"100/10"``. Default: the connection's.
    :param max_failed_rows: the largest number of failed calls with which the task succeeds. Default: 0, or no limit if
        ``max_failed_ratio`` is set.
    :param max_failed_ratio: the largest share of failed calls with which the task succeeds, 0 to 1. Default: no limit.
    :param tolerate: the outcomes that do not count as failed: ``"not_found"``, ``"not_ended"`` or both. Default: none.
    :param min_rows: the smallest number of calls with which the task succeeds. Default: 0.
    :param on_empty: the result of a task without calls: ``"success"`` (default), ``"skip"`` or ``"fail"``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises RowsFailedError: if there are too few calls, or too many failed, and a retry may succeed.
    :raises BulkStoppedError: if Retell, the host of the recordings, the storage or the network failed for 50 calls in a
        row, Retell asked for a long wait, the report could not be written, or the task was stopped. A retry continues.
    :raises AirflowFailException: if a retry cannot help.
    """

    template_fields: Sequence[str] = (
        "path",
        "path_conn_id",
        "rows",
        "filter_criteria",
        "report_path",
        "report_conn_id",
        "retell_conn_id",
    )
    template_fields_renderers = {"filter_criteria": "json"}  # noqa: RUF012 - Airflow's form
    masked_fields: Sequence[str] = ("rows", "filter_criteria")
    next_step = "Run the task again. It copies only the missing files"

    def __init__(
        self,
        *,
        path: str | XComArg,
        path_conn_id: str | None = None,
        files: Sequence[str] = ("recording",),
        rows: AnyRows | None = None,
        call_id_column: str = "call_id",
        column_names: Sequence[str] | None = None,
        filter_criteria: Mapping[str, Any] | str | XComArg | None = None,
        overlap: float | timedelta = timedelta(minutes=30),
        report_path: str | XComArg | None = None,
        report_conn_id: str | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        tolerate: Sequence[Tolerated] = (),
        min_rows: int = 0,
        on_empty: OnEmpty = "success",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rows=rows,
            column_names=column_names,
            report_path=report_path,
            report_conn_id=report_conn_id,
            concurrency=concurrency,
            quota=quota,
            max_failed_rows=max_failed_rows,
            max_failed_ratio=max_failed_ratio,
            tolerate=tolerate,
            min_rows=min_rows,
            on_empty=on_empty,
            **kwargs,
        )
        checks.whole_number("concurrency", concurrency, 1, 64)
        if checks.is_literal(path):
            check_path(path)
        checks.text(call_id_column=call_id_column)
        overlapping = self.is_set_in_dag("overlap") and not self.from_mapped
        for name, is_set in (("filter_criteria", filter_criteria is not None), ("overlap", overlapping)):
            if rows is not None and is_set:
                raise ValueError(f"{name} must not be set with rows, which name the calls")
        self.check_effect("rows", rows is not None, call_id_column=call_id_column, column_names=column_names)
        self.files = checks.text_list("files", files, choices=FILE_NAMES)
        if not self.files:
            raise ValueError(f"files must have at least one of {', '.join(FILE_NAMES)}")
        self.path = path
        self.path_conn_id = path_conn_id
        self.call_id_column = self.key_column = call_id_column
        self.filter_criteria = filter_criteria
        self.overlap = checks.in_seconds("overlap", overlap)
        self._archive: ArchiveRun | None = None
        self._window: list[int] | None = None

    def manifest(self, progress: Progress) -> dict[str, Any]:
        """Return the manifest of the run so far."""
        more = self._archive.manifest() if self._archive else progress.manifest()
        return more | {"window": self._window}

    async def process(self, context: Context, limits: FailureLimits, report: Report) -> None:
        """Archive the recordings."""
        from airflow_provider_retell.bulk.recordings.archiver import Archiver
        from airflow_provider_retell.bulk.recordings.run import ArchiveRun
        from airflow_provider_retell.bulk.recordings.storage import Storage
        from airflow_provider_retell.hooks.downloads import Downloads

        path = as_text(unmask(self.path), "path")
        check_path(path)
        rows = self.open_rows(context, report) if self.given("rows") else None
        self._window = None if rows else window_of(context, self.overlap, _WITHOUT_INTERVAL)
        storage = Storage(self.path_conn_id, self.concurrency)
        try:
            async with self.new_hook() as hook, Downloads(hook.settings, self.concurrency) as downloads:
                archiver = Archiver(hook, downloads, storage, path, self.files)
                total = rows.size() if rows else None
                items = self._items(hook, rows)
                self._archive = ArchiveRun(archiver, items, report, self.concurrency, limits, total)
                self._progress = self._archive.progress
                await self._archive.run()
        finally:
            storage.close()

    def _items(self, hook: RetellAsyncHook, rows: Rows | None) -> AsyncIterator[Item | Result]:
        from airflow_provider_retell.bulk.recordings.sources import given, listed

        if rows is not None:
            return given(rows, self.call_id_column)
        criteria = self.rendered("filter_criteria", as_object) or {}
        return listed(hook, within(criteria, "end_timestamp", self._window or [], "or set rows"))
