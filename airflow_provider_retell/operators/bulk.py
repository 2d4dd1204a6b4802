"""The operator that updates many calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.choices import DataStorageSetting, MetadataMode
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.operators.bulk_records import BulkUpdateOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.records.row_options import Nulls
    from airflow_provider_retell.bulk.row_limits import OnEmpty
    from airflow_provider_retell.operators.rows_base import AnyRows, Tolerated


class BulkUpdateCallOperator(BulkUpdateOperator):
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

    - ``rows``: the number of rows with an outcome.
    - ``complete``: True if these are all rows of the source, and False if the run stopped early.
    - ``updated``, ``unchanged``, ``not_found``, ``not_ended``, ``invalid``, ``conflict`` and ``failed``: the number of
      rows with each outcome; in a dry run also ``would_update``, and ``updated`` is 0. They add up to ``rows``.
    - ``failed_rows``: the number of rows that count as failed.
    - ``requests``: the number of requests, including retries.
    - ``seconds``: the duration of the run, and ``waited_seconds``: how long the quota delayed requests.
    - ``report``: the path of the report, or None.
    - ``task_run``: the number of ``tries``, and the same counts over all tries, each row counted once. It is None in
      a retry without a report.
    - ``schema_version``: 1.

    It also pushes the first 200 rows that count as failed, under the key ``failures``: a list of dicts with ``row``,
    ``call_id``, ``outcome``, ``reason`` and ``changed``, as in the report. The log has them too, as a table. In Airflow
    3.1 and later, the task's link "Report" leads to a page that shows all this.

    The events of assets among the task's ``outlets`` have the same values in ``extra``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html
    - API: https://docs.retellai.com/api-references/update-call

    :param rows: :class:`~airflow_provider_retell.bulk.SqlRows`, :class:`~airflow_provider_retell.bulk.FileRows`,
        :class:`~airflow_provider_retell.bulk.FailedRows`, a list of dicts, a DataFrame of pandas or polars, an Arrow
        table, a template that renders to such a list, or a function that returns a list or a table, or yields dicts
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
        ``"remove"`` deletes the metadata key. Custom attributes cannot be null or deleted: with ``"write"``, the row is
        invalid, and with ``"skip"`` and ``"remove"``, the attribute keeps its value.
    :param timezone: the zone of timestamps without one, for example ``"Europe/Berlin"``. Default: such rows are
        invalid.
    :param json_columns: the columns with JSON in text, which become objects and lists. Default: text stays text.
    :param column_names: the names of the columns, if rows are tuples or lists, as the output of Airflow's SQL
        operators.
    :param dry_run: True to send no updates (templated). Manifest and report then have the outcome ``would_update``,
        and the log has the names of the first ten differences.
    :param show_values: True to log the values of these differences too. Without ``dry_run`` it has no effect.
    :param report_path: a file for one line of JSON per row (``row``, ``call_id``, ``outcome``, ``reason``,
        ``changed``): a local path or a URL that ends in ``.jsonl`` or ``.ndjson``, optionally followed by ``.gz``
        (templated). Each line also names the ``task_run`` and the ``try``. Lines of earlier tries stay in the file.
        The paths of mapped tasks must differ. Default: no report.
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
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises RowsFailedError: if the source has too few rows, or if more rows failed than the task allows, and some of
        them may succeed in a retry.
    :raises BulkStoppedError: if Retell or the network failed for 50 rows in a row, Retell asked for a long wait,
        the report could not be written, or the task was stopped. A retry continues.
    :raises AirflowFailException: if a retry cannot help: invalid input, failed rows that would fail again, a column
        that no row has, or an API key that Retell rejects.
    """

    noun: ClassVar[Noun] = "call"

    def __init__(
        self,
        *,
        rows: AnyRows,
        call_id_column: str = "call_id",
        metadata_columns: Mapping[str, str] | Sequence[str] | None = None,
        custom_attribute_columns: Mapping[str, str] | Sequence[str] | None = None,
        data_storage_setting: DataStorageSetting | str | XComArg | None = None,
        data_storage_setting_column: str | None = None,
        metadata_mode: MetadataMode = "merge",
        remove_metadata_keys: Sequence[str] = (),
        nulls: Nulls = "write",
        timezone: str | None = None,
        json_columns: Sequence[str] = (),
        column_names: Sequence[str] | None = None,
        dry_run: bool | str | XComArg = False,
        show_values: bool = False,
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
            record_id_column=call_id_column,
            metadata_columns=metadata_columns,
            custom_attribute_columns=custom_attribute_columns,
            data_storage_setting=data_storage_setting,
            data_storage_setting_column=data_storage_setting_column,
            metadata_mode=metadata_mode,
            remove_metadata_keys=remove_metadata_keys,
            nulls=nulls,
            timezone=timezone,
            json_columns=json_columns,
            column_names=column_names,
            rows=rows,
            dry_run=dry_run,
            show_values=show_values,
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
        self.call_id_column = call_id_column
