"""Base class of the operators that update many calls or chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.choices import METADATA_MODES, STORAGE_ORDER, MetadataMode
from airflow_provider_retell.api.kinds import kind_of
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.bulk.column_names import names_by_column
from airflow_provider_retell.bulk.records.row_options import Nulls, RowOptions
from airflow_provider_retell.operators.rows_base import BulkOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_storage_setting

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.records.columns import Columns
    from airflow_provider_retell.bulk.resource import Resource
    from airflow_provider_retell.hooks.retell import RetellAsyncHook


class BulkUpdateOperator(BulkOperator):
    """Base class of the operators that update many calls or chats. They describe the parameters.

    :cvar noun: ``"call"`` or ``"chat"``.
    :cvar storage_settings: the values of ``data_storage_setting``.
    """

    template_fields: Sequence[str] = (
        "rows",
        "data_storage_setting",
        "dry_run",
        "report_path",
        "report_conn_id",
        "retell_conn_id",
    )

    noun: ClassVar[Noun]
    storage_settings: ClassVar[Sequence[str]] = STORAGE_ORDER

    def __init__(
        self,
        *,
        record_id_column: str,
        metadata_columns: Mapping[str, str] | Sequence[str] | None,
        custom_attribute_columns: Mapping[str, str] | Sequence[str] | None,
        data_storage_setting: str | XComArg | None,
        data_storage_setting_column: str | None,
        metadata_mode: MetadataMode,
        remove_metadata_keys: Sequence[str],
        nulls: Nulls,
        timezone: str | None,
        json_columns: Sequence[str],
        show_values: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(show_values=show_values)
        checks.text(
            **{f"{self.noun}_id_column": record_id_column},
            data_storage_setting_column=data_storage_setting_column,
        )
        checks.one_of_or_template("data_storage_setting", data_storage_setting, self.storage_settings)
        checks.exclusive(
            data_storage_setting=data_storage_setting, data_storage_setting_column=data_storage_setting_column
        )
        checks.one_of("metadata_mode", metadata_mode, METADATA_MODES)
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
        self.nulls = nulls
        self.timezone = timezone
        self.json_columns = json_columns
        self.show_values = show_values
        self.key_column = record_id_column
        self.metadata_columns = metadata_columns
        self.custom_attribute_columns = custom_attribute_columns
        self.data_storage_setting = data_storage_setting
        self.data_storage_setting_column = data_storage_setting_column
        self.metadata_mode = metadata_mode
        self.remove_metadata_keys = remove_metadata_keys

    def resource(self, hook: RetellAsyncHook) -> Resource[Any, Any]:
        """Return the updates of calls or chats."""
        from airflow_provider_retell.bulk.records.updates import RecordUpdates

        removed = frozenset(self.remove_metadata_keys)
        return RecordUpdates(hook, self._columns(), kind_of(self.noun), self.metadata_mode, removed)

    def _columns(self) -> Columns:
        from airflow_provider_retell.bulk.records.columns import Columns

        storage = self.rendered("data_storage_setting", as_storage_setting)
        return Columns(
            record_id=self.key_column,
            metadata=names_by_column("metadata_columns", self.metadata_columns),
            custom_attributes=names_by_column("custom_attribute_columns", self.custom_attribute_columns),
            storage=storage,
            storage_column=self.data_storage_setting_column,
            options=self._options,
        )
