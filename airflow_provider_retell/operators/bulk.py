"""The operator for bulk updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.api.choices import (
    METADATA_MODES,
    STORAGE_ORDER,
    DataStorageSetting,
    MetadataMode,
)
from airflow_provider_retell.bulk.column_names import names_by_column
from airflow_provider_retell.bulk.errors import RESUME, BulkStoppedError
from airflow_provider_retell.bulk.given_rows import as_field, from_field
from airflow_provider_retell.bulk.quota_option import parse_quota
from airflow_provider_retell.bulk.report_path import check_differs, check_suffix
from airflow_provider_retell.bulk.row_limits import OnEmpty, RowLimits
from airflow_provider_retell.bulk.row_options import Nulls, RowOptions
from airflow_provider_retell.bulk.summary import log_differences, log_failed_rows
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.operators.rows_result import check_result, publish
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_bool, as_storage_setting, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.bulk.engine import BulkUpdate
    from airflow_provider_retell.bulk.outcome import FailureLimits
    from airflow_provider_retell.bulk.plan import Plan
    from airflow_provider_retell.bulk.rows import Rows
    from airflow_provider_retell.bulk.task_run import TaskTry


Tolerated = Literal["not_found", "not_ended"]


class BulkUpdateCallOperator(LoopOperator):
    """Update many calls from rows, and send only the differences.

    The task reads the current state of the calls, 1,000 per request, and compares it with the rows. It updates the
    calls that differ, and uses the organization's full quota. A second run, also after a crash, sends only the updates
    that are still missing. Calls must have ended. Failed rows fail the task after the last row.

    ::

        from airflow_provider_retell.bulk import SqlRows
        from airflow_provider_retell.operators import BulkUpdateCallOperator

        enrich = BulkUpdateCallOperator(
            task_id="enrich",
            rows=SqlRows("warehouse", "select call_id, tier, ltv from enriched where day = '{{ ds }}'"),
            metadata_columns={"tier": "customer_tier", "ltv": "ltv"},
            report_path="s3://bucket/retell/{{ ds }}.jsonl",
        )

    The task has no return value. It pushes a *manifest* to XCom under the key ``manifest``, even if it fails:
    ``enrich.output["manifest"]``. The manifest is a dict with these keys:

    - ``rows``: the number of rows.
    - ``updated`` (``would_update`` in a dry run), ``unchanged``, ``not_found``, ``not_ended``, ``invalid``,
      ``conflict`` and ``failed``: the number of rows with each outcome. They add up to ``rows``.
    - ``requests``: the number of requests, including retries.
    - ``seconds``: the duration of the run, and ``waited_seconds``: how long the quota delayed requests.
    - ``report``: the path of the report, or None.
    - ``task_run``: the number of ``tries``, and the same counts over all tries, each row counted once. It is None in
      a retry without a report.
    - ``schema_version``: 1.

    The events of assets among the task's ``outlets`` have the same values in ``extra``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html
    - API: https://docs.retellai.com/api-references/update-call

    :param rows: :class:`~airflow_provider_retell.bulk.SqlRows`, :class:`~airflow_provider_retell.bulk.FileRows`,
        :class:`~airflow_provider_retell.bulk.FailedRows`, a list of dicts, a DataFrame of pandas or polars, an Arrow
        table, a template that renders to such a list, or a function that returns one of these or yields dicts
        (templated). The function's parameters get the values of these names from the task's context.
    :param call_id_column: the column with the call's id. Default: ``call_id``. A second row with the same id is
        invalid.
    :param metadata_columns: the columns that become metadata: a list, or a dict from column to metadata key. Default:
        all columns without another meaning, under their own names.
    :param custom_attribute_columns: the columns that become custom attributes: a list, or a dict from column to the
        id of the attribute. Default: none. Such rows are always sent, because Retell's responses do not show custom
        attributes reliably.
    :param data_storage_setting: the data that Retell stores, for all rows: ``everything``, ``everything_except_pii``
        or ``basic_attributes_only`` (templated). It can only be made stricter, and never undone. An empty value
        leaves it as it is.
    :param data_storage_setting_column: the column with the storage setting of each row.
    :param metadata_mode: ``"merge"`` (default) sets the row's keys and keeps the call's other keys, ``"fill"`` sets
        only keys that the call lacks, ``"replace"`` deletes all other keys.
    :param remove_metadata_keys: metadata keys to delete from every call, even if a row has them.
    :param nulls: the meaning of nulls: ``"write"`` (default) writes them, ``"skip"`` keeps the call's value, and
        ``"remove"`` deletes the metadata key; it writes nulls of custom attributes, which cannot be deleted.
    :param timezone: the zone of timestamps without one, for example ``"Europe/Berlin"``. Default: such rows are
        invalid.
    :param json_columns: the columns with JSON in text, which become objects and lists. Default: text stays text.
    :param column_names: the names of the columns, if rows are tuples or lists, as the output of Airflow's SQL
        operators.
    :param dry_run: True to send no updates (templated). Manifest and report then have the outcome ``would_update``,
        and the log has the names of the first ten differences.
    :param show_values: True to log the values of these differences too.
    :param report_path: a file for one line of JSON per row (``row``, ``call_id``, ``outcome``, ``reason``,
        ``changed``): a local path or a URL that ends in ``.jsonl`` or ``.ndjson``, optionally followed by ``.gz``
        (templated). Each line also names the ``task_run`` and the ``try``. Lines of earlier tries stay in the file.
        The paths of mapped tasks must differ. Default: no report; the log then has up to 50 failed rows.
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :param concurrency: the largest number of updates that are sent at the same time, 1 to 256. Default: 16.
    :param quota: the quota of each route except list-calls, for example ``"100/10"`` for 100 requests in 10 seconds.
        Default: the connection's.
    :param max_failed_rows: the largest number of failed rows with which the task succeeds. Default: 0, or no limit if
        ``max_failed_ratio`` is set.
    :param max_failed_ratio: the largest share of failed rows with which the task succeeds, 0 to 1. Default: no limit.
    :param tolerate: the outcomes that do not count as failed: ``"not_found"``, ``"not_ended"`` or both. Default: none.
    :param min_rows: the smallest number of rows with which the task succeeds. It is checked after the last row.
        Default: 0.
    :param on_empty: the result of a task whose source has no rows: ``"success"`` (default), ``"skip"`` or ``"fail"``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :raises RowsFailedError: if the source has too few rows, or if more rows failed than the task allows, and some of
        them may succeed in a retry.
    :raises BulkStoppedError: if Retell or the network failed for 50 rows in a row, Retell asked for a long wait, or
        the task was stopped. A retry continues.
    :raises AirflowFailException: if a retry cannot help: invalid input, failed rows that would fail again, a column
        that no row has, or an API key that Retell rejects.
    """

    template_fields: Sequence[str] = (
        "rows",
        "data_storage_setting",
        "dry_run",
        "report_path",
        "report_conn_id",
        "retell_conn_id",
    )
    # The file of a query in SqlRows.
    template_ext: Sequence[str] = (".sql",)
    masked_fields: Sequence[str] = ("rows",)

    def __init__(
        self,
        *,
        rows: Rows | str | Iterable[Any] | Callable[..., Iterable[Any]] | XComArg,
        call_id_column: str = "call_id",
        metadata_columns: Mapping[str, str] | Sequence[str] | None = None,
        custom_attribute_columns: Mapping[str, str] | Sequence[str] | None = None,
        data_storage_setting: DataStorageSetting | str | None = None,
        data_storage_setting_column: str | None = None,
        metadata_mode: MetadataMode = "merge",
        remove_metadata_keys: Sequence[str] = (),
        nulls: Nulls = "write",
        timezone: str | None = None,
        json_columns: Sequence[str] = (),
        column_names: Sequence[str] | None = None,
        dry_run: bool | str | XComArg = False,
        show_values: bool = False,
        report_path: str | None = None,
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
        super().__init__(**kwargs)
        checks.text(call_id_column=call_id_column, data_storage_setting_column=data_storage_setting_column)
        checks.one_of_or_template("data_storage_setting", data_storage_setting, STORAGE_ORDER)
        checks.exclusive(
            data_storage_setting=data_storage_setting, data_storage_setting_column=data_storage_setting_column
        )
        checks.one_of("metadata_mode", metadata_mode, METADATA_MODES)
        checks.flag(show_values=show_values)
        checks.whole_number("concurrency", concurrency, 1, 256)
        if max_failed_rows is not None:
            checks.whole_number("max_failed_rows", max_failed_rows, 0)
        if max_failed_ratio is not None:
            checks.between("max_failed_ratio", max_failed_ratio, 0, 1)
        checks.whole_number("min_rows", min_rows, 0)
        checks.one_of("on_empty", on_empty, get_args(OnEmpty))
        if checks.is_literal(report_path):
            check_suffix(str(report_path))
        parse_quota(quota)
        names_by_column("custom_attribute_columns", custom_attribute_columns)
        keys = (names_by_column("metadata_columns", metadata_columns) or {}).values()
        removed = checks.text_list("remove_metadata_keys", remove_metadata_keys)
        if both := set(removed).intersection(keys):
            raise ValueError(
                f"remove_metadata_keys must not contain keys that metadata_columns sets: {', '.join(sorted(both))}"
            )
        self._options = RowOptions.check(nulls, timezone, json_columns)
        if nulls == "remove" and metadata_mode == "fill":
            raise ValueError(
                "nulls='remove' must not be set with metadata_mode='fill', which changes no values"
            )
        self.column_names = None if column_names is None else checks.text_list("column_names", column_names)
        self.nulls = nulls
        self.timezone = timezone
        self.json_columns = json_columns
        self.rows = as_field(rows, self.column_names)
        self.depend_on_xcoms_in(self.rows)
        self.call_id_column = call_id_column
        self.metadata_columns = metadata_columns
        self.custom_attribute_columns = custom_attribute_columns
        self.data_storage_setting = data_storage_setting
        self.data_storage_setting_column = data_storage_setting_column
        self.metadata_mode = metadata_mode
        self.remove_metadata_keys = remove_metadata_keys
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]
        self.show_values = show_values
        self.report_path = report_path
        self.report_conn_id = report_conn_id
        self.concurrency = concurrency
        self.quota = quota
        self.max_failed_rows = max_failed_rows
        self.max_failed_ratio = max_failed_ratio
        self.tolerate = checks.text_list("tolerate", tolerate, choices=get_args(Tolerated))
        self.min_rows = min_rows
        self.on_empty = on_empty
        self._report_template = report_path
        self._update: BulkUpdate | None = None

    def work(self, context: Context) -> None:
        """Run the update, push the manifest, and fail if too many rows failed."""
        from airflow_provider_retell.bulk.outcome import FailureLimits
        from airflow_provider_retell.bulk.task_run import TaskTry

        is_mapped = context["ti"].map_index is not None and context["ti"].map_index >= 0
        if is_mapped and "report_path" not in (self.mapped_names or ()):
            check_differs(self._report_template)
        limits = FailureLimits(self.max_failed_rows, self.max_failed_ratio, self.tolerate)
        manifest: dict[str, Any] = {}
        self._reset()
        try:
            self.run_loop(self._run(context, limits, TaskTry.of(context)))
        except asyncio.CancelledError:
            rows = counted(self._update.progress.rows if self._update else 0, "row")
            raise BulkStoppedError(f"Stopped on request after {rows}. {RESUME}") from None
        finally:
            if self._update is not None:
                manifest = self._update.progress.manifest()
                publish(context, manifest, self.outlets or ())
                log_differences(self._update.differences, show_values=self.show_values)
                log_failed_rows(
                    self._update.progress.failed,
                    limits.count(manifest),
                    has_report=self.given("report_path"),
                )
        check_result(manifest, limits, RowLimits(self.min_rows, self.on_empty))

    def _reset(self) -> None:
        self._update = None

    async def _run(self, context: Context, limits: FailureLimits, task_try: TaskTry) -> None:
        from airflow_provider_retell.bulk.engine import BulkUpdate
        from airflow_provider_retell.bulk.report import Report
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        plan = self._plan()
        rows = from_field(unmask(self.rows), self.column_names)
        rows.call_id_column = self.call_id_column
        rows.bind(context)
        report = Report(self.rendered("report_path", as_text), self.report_conn_id, task_try)
        report.check(rows.files())
        async with RetellAsyncHook(
            self.retell_conn_id, connections=self.concurrency, quota=parse_quota(self.quota)
        ) as hook:
            self._update = BulkUpdate(hook, rows, plan, report, self.concurrency, limits)
            await self._update.run()

    def _plan(self) -> Plan:
        from airflow_provider_retell.bulk.columns import Columns
        from airflow_provider_retell.bulk.plan import Plan

        storage = self.rendered("data_storage_setting", as_storage_setting)
        columns = Columns(
            call_id=self.call_id_column,
            metadata=names_by_column("metadata_columns", self.metadata_columns),
            custom_attributes=names_by_column("custom_attribute_columns", self.custom_attribute_columns),
            storage=storage,
            storage_column=self.data_storage_setting_column,
            options=self._options,
        )
        removed = frozenset(self.remove_metadata_keys)
        return Plan(columns, self.metadata_mode, removed, as_bool(self.dry_run, "dry_run"))
