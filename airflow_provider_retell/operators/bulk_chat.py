"""The operator that updates many chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_retell.api.choices import CHAT_STORAGE_ORDER, ChatStorageSetting, MetadataMode
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.operators.bulk_records import BulkUpdateOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.records.row_options import Nulls
    from airflow_provider_retell.bulk.row_limits import OnEmpty
    from airflow_provider_retell.operators.rows_base import AnyRows


class BulkUpdateChatOperator(BulkUpdateOperator):
    """Update many chats from rows, and send only the differences.

    The twin of :class:`~airflow_provider_retell.operators.BulkUpdateCallOperator`, with the same manifest, report,
    limits and crash safety. It differs where Retell does: chats need not have ended, chats have two storage settings,
    and custom attributes are compared, because Retell's responses show them. A storage setting is sent with every row
    that has one, because Retell's responses do not show it.

    ::

        from airflow_provider_retell.bulk import SqlRows
        from airflow_provider_retell.operators import BulkUpdateChatOperator

        enrich = BulkUpdateChatOperator(
            task_id="enrich",
            rows=SqlRows("warehouse", "select chat_id, tier from enriched where day = '{{ ds }}'"),
            metadata_columns={"tier": "customer_tier"},
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/update-chat

    :param rows: :class:`~airflow_provider_retell.bulk.SqlRows`, :class:`~airflow_provider_retell.bulk.FileRows`,
        :class:`~airflow_provider_retell.bulk.FailedRows`, a list of dicts, a DataFrame of pandas or polars, an Arrow
        table, a template that renders to such a list, or a function that returns a list or a table, or yields dicts
        (templated). The function's parameters get the values of these names from the task's context.
    :param chat_id_column: the column with the chat's id. Default: ``chat_id``. A second row with the same id is
        invalid.
    :param metadata_columns: the columns that become metadata: a list, or a dict from column to metadata key. Default:
        all columns without another meaning, under their own names.
    :param custom_attribute_columns: the columns that become custom attributes: a list, or a dict from column to the
        id of the attribute. Default: none.
    :param data_storage_setting: the data that Retell stores, for all rows: ``everything`` or
        ``basic_attributes_only`` (templated). It can only be made stricter, and never undone. An empty value leaves it
        as it is.
    :param data_storage_setting_column: the column with the storage setting of each row.
    :param metadata_mode: ``"merge"`` (default) sets the row's keys and keeps the chat's other keys, ``"fill"`` sets
        only keys that the chat lacks, ``"replace"`` deletes all other keys.
    :param remove_metadata_keys: metadata keys to delete from every chat, even if a row has them.
    :param nulls: the meaning of nulls: ``"write"`` (default) writes them, ``"skip"`` keeps the chat's value, and
        ``"remove"`` deletes the metadata key. Custom attributes cannot be null or deleted: with ``"write"``, the row is
        invalid, and with ``"skip"`` and ``"remove"``, the attribute keeps its value.
    :param timezone: the zone of timestamps without one, for example ``"Europe/Berlin"``. Default: such rows are
        invalid.
    :param json_columns: the columns with JSON in text, which become objects and lists. Default: text stays text.
    :param column_names: the names of the columns, if rows are tuples or lists, as the output of Airflow's SQL
        operators.
    :param dry_run: True to send no updates (templated).
    :param show_values: True to log the values of the first ten differences of a dry run too. Without ``dry_run`` it has
        no effect.
    :param report_path: a file for one line of JSON per row (``row``, ``chat_id``, ``outcome``, ``reason``,
        ``changed``), as for calls (templated). Default: no report.
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :param concurrency: the largest number of updates that are sent at the same time, 1 to 256. Default: 16.
    :param quota: the quota of each route except list-chats, for example ``"100/10"`` for 100 requests in 10 seconds.
        Default: the connection's.
    :param max_failed_rows: the largest number of failed rows with which the task succeeds. Default: 0, or no limit if
        ``max_failed_ratio`` is set.
    :param max_failed_ratio: the largest share of failed rows with which the task succeeds, 0 to 1. Default: no limit.
    :param tolerate: ``["not_found"]`` to not count chats that do not exist as failed. Default: none.
    :param min_rows: the smallest number of rows with which the task succeeds. It is checked after the last row.
        Default: 0.
    :param on_empty: the result of a task whose source has no rows: ``"success"`` (default), ``"skip"`` or ``"fail"``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises RowsFailedError: if the source has too few rows, or if more rows failed than the task allows, and some of
        them may succeed in a retry.
    :raises BulkStoppedError: if Retell or the network failed for 50 rows in a row, Retell asked for a long wait,
        the report could not be written, or the task was stopped. A retry continues.
    :raises AirflowFailException: if a retry cannot help, as for calls.
    """

    noun: ClassVar[Noun] = "chat"
    storage_settings: ClassVar[Sequence[str]] = CHAT_STORAGE_ORDER

    def __init__(
        self,
        *,
        rows: AnyRows,
        chat_id_column: str = "chat_id",
        metadata_columns: Mapping[str, str] | Sequence[str] | None = None,
        custom_attribute_columns: Mapping[str, str] | Sequence[str] | None = None,
        data_storage_setting: ChatStorageSetting | str | XComArg | None = None,
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
        tolerate: Sequence[Literal["not_found"]] = (),
        min_rows: int = 0,
        on_empty: OnEmpty = "success",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            record_id_column=chat_id_column,
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
        self.chat_id_column = chat_id_column
