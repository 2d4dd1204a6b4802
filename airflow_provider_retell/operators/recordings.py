"""The operator that archives recordings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from airflow_provider_retell.api.calls.files import FILE_NAMES
from airflow_provider_retell.bulk.errors import BulkStoppedError
from airflow_provider_retell.bulk.given_rows import as_field, from_field
from airflow_provider_retell.bulk.quota_option import parse_quota
from airflow_provider_retell.bulk.recordings.target import check_path
from airflow_provider_retell.bulk.report_path import check_differs, check_suffix
from airflow_provider_retell.bulk.row_limits import OnEmpty, RowLimits
from airflow_provider_retell.bulk.summary import log_failed_rows
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.operators.data_interval import window_of, within
from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.operators.rows_result import check_result, publish
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.bulk.outcome import FailureLimits, Result
    from airflow_provider_retell.bulk.recordings.run import ArchiveRun
    from airflow_provider_retell.bulk.recordings.sources import Item
    from airflow_provider_retell.bulk.rows import Rows
    from airflow_provider_retell.bulk.task_run import TaskTry
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

_TOLERABLE = ("not_found", "not_ended")


class ArchiveRecordingsOperator(LoopOperator):
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

    - ``rows``: the number of calls.
    - ``archived``, ``unchanged``, ``no_recording``, ``not_found``, ``not_ended``, ``invalid`` and ``failed``: the
      number of calls with each outcome. They add up to ``rows``. ``unchanged``: all files were there.
    - ``no_recording_causes``: the number of calls without any of the files because of ``not_connected``,
      ``storage_setting`` or ``removed`` (by the agent's retention, or never recorded).
    - ``files``: the number of files that were written, by name, and ``bytes``: their size.
    - ``window``: the first and the last epoch millisecond of the data interval, or None with ``rows``.
    - ``requests``: the number of requests to Retell's API, including retries.
    - ``seconds``: the duration of the run, and ``waited_seconds``: how long the quota delayed requests.
    - ``report``: the path of the report, or None.
    - ``task_run``: the number of ``tries``, and the same counts over all tries, each call counted once.
    - ``schema_version``: 1.

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
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :raises RowsFailedError: if there are too few calls, or too many failed, and a retry may succeed.
    :raises BulkStoppedError: if Retell, the host of the recordings, the storage or the network failed for 50 calls in a
        row, Retell asked for a long wait, or the task was stopped. A retry continues.
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
    # The file of a query in SqlRows.
    template_ext: Sequence[str] = (".sql",)
    masked_fields: Sequence[str] = ("rows", "filter_criteria")

    def __init__(
        self,
        *,
        path: str,
        path_conn_id: str | None = None,
        files: Sequence[str] = ("recording",),
        rows: Rows | str | Iterable[Any] | Callable[..., Iterable[Any]] | XComArg | None = None,
        call_id_column: str = "call_id",
        filter_criteria: Mapping[str, Any] | str | XComArg | None = None,
        overlap: float | timedelta = timedelta(minutes=30),
        report_path: str | None = None,
        report_conn_id: str | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        tolerate: Sequence[str] = (),
        min_rows: int = 0,
        on_empty: OnEmpty = "success",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if checks.is_literal(path):
            check_path(str(path))
        checks.text(call_id_column=call_id_column)
        checks.whole_number("concurrency", concurrency, 1, 64)
        if max_failed_rows is not None:
            checks.whole_number("max_failed_rows", max_failed_rows, 0)
        if max_failed_ratio is not None:
            checks.between("max_failed_ratio", max_failed_ratio, 0, 1)
        checks.whole_number("min_rows", min_rows, 0)
        checks.one_of("on_empty", on_empty, get_args(OnEmpty))
        if checks.is_literal(report_path):
            check_suffix(str(report_path))
        parse_quota(quota)
        if rows is not None and filter_criteria is not None:
            raise ValueError("filter_criteria must not be set with rows, which name the calls")
        self.files = checks.text_list("files", files, choices=FILE_NAMES)
        if not self.files:
            raise ValueError(f"files must have at least one of {', '.join(FILE_NAMES)}")
        self.path = path
        self.path_conn_id = path_conn_id
        self.rows = None if rows is None else as_field(rows)
        self.depend_on_xcoms_in(self.rows)
        self.call_id_column = call_id_column
        self.filter_criteria = filter_criteria
        self.overlap = checks.in_seconds("overlap", overlap)
        self.report_path = report_path
        self.report_conn_id = report_conn_id
        self.concurrency = concurrency
        self.quota = quota
        self.max_failed_rows = max_failed_rows
        self.max_failed_ratio = max_failed_ratio
        self.tolerate = checks.text_list("tolerate", tolerate, choices=_TOLERABLE)
        self.min_rows = min_rows
        self.on_empty = on_empty
        self._report_template = report_path
        self._run_of_task: ArchiveRun | None = None

    def work(self, context: Context) -> None:
        """Archive the recordings, push the manifest, and fail if too many calls failed."""
        from airflow_provider_retell.bulk.outcome import FailureLimits
        from airflow_provider_retell.bulk.task_run import TaskTry

        is_mapped = context["ti"].map_index is not None and context["ti"].map_index >= 0
        if is_mapped and "report_path" not in (self.mapped_names or ()):
            check_differs(self._report_template)
        limits = FailureLimits(self.max_failed_rows, self.max_failed_ratio, self.tolerate)
        window = None if self.given("rows") else self._window(context)
        manifest: dict[str, Any] = {}
        self._reset()
        try:
            self.run_loop(self._archive(context, window, limits, TaskTry.of(context)))
        except asyncio.CancelledError:
            rows = counted(self._run_of_task.progress.rows if self._run_of_task else 0, "call")
            raise BulkStoppedError(
                f"Stopped on request after {rows}. Run the task again. It copies only the missing files"
            ) from None
        finally:
            if self._run_of_task is not None:
                manifest = self._run_of_task.manifest() | {"window": window}
                publish(context, manifest, self.outlets or ())
                log_failed_rows(
                    self._run_of_task.progress.failed,
                    limits.count(manifest),
                    has_report=self.given("report_path"),
                )
        check_result(manifest, limits, RowLimits(self.min_rows, self.on_empty))

    def _reset(self) -> None:
        self._run_of_task = None

    def _window(self, context: Context) -> list[int]:
        return window_of(context, self.overlap, "To archive without an interval, set rows")

    async def _archive(
        self, context: Context, window: list[int] | None, limits: FailureLimits, task_try: TaskTry
    ) -> None:
        from airflow_provider_retell.bulk.recordings.archiver import Archiver
        from airflow_provider_retell.bulk.recordings.run import ArchiveRun
        from airflow_provider_retell.bulk.recordings.storage import Storage
        from airflow_provider_retell.bulk.report import Report
        from airflow_provider_retell.hooks.downloads import Downloads
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        path = as_text(unmask(self.path), "path")
        check_path(path)
        rows = None
        if window is None:
            rows = from_field(unmask(self.rows))
            rows.call_id_column = self.call_id_column
            rows.bind(context)
        report = Report(self.rendered("report_path", as_text), self.report_conn_id, task_try)
        report.check(rows.files() if rows else ())
        storage = Storage(self.path_conn_id, self.concurrency)
        try:
            async with (
                RetellAsyncHook(
                    self.retell_conn_id, connections=self.concurrency, quota=parse_quota(self.quota)
                ) as hook,
                Downloads.of(hook, self.concurrency) as downloads,
            ):
                archiver = Archiver(hook, downloads, storage, path, self.files)
                total = rows.size() if rows else None
                items = self._items(hook, rows, window)
                self._run_of_task = ArchiveRun(archiver, items, report, self.concurrency, limits, total)
                await self._run_of_task.run()
        finally:
            storage.close()

    def _items(
        self, hook: RetellAsyncHook, rows: Rows | None, window: list[int] | None
    ) -> AsyncIterator[Item | Result]:
        from airflow_provider_retell.bulk.recordings.sources import given, listed

        if rows is not None:
            return given(rows, self.call_id_column)
        criteria = self.rendered("filter_criteria", as_object) or {}
        return listed(hook, within(criteria, "end_timestamp", window or [], "or set rows"))
