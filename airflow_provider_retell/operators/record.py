"""Base classes of the operators that act on one call or one chat."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.choices import METADATA_MODES, STORAGE_ORDER, MetadataMode
from airflow_provider_retell.api.kinds import kind_of
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.common.paths import check_no_secrets, safe_path
from airflow_provider_retell.operators.base import DeferrableOperator, RetellOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_id, as_object, as_storage_setting, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.records.update import PreparedUpdate


class RecordOperator(RetellOperator):
    """Base class of the operators that act on one call or chat.

    :cvar noun: ``"call"`` or ``"chat"``. The operator has the attribute ``call_id`` or ``chat_id``.
    """

    noun: ClassVar[Noun]

    def selected_id(self, context: Context) -> str:
        """Return the rendered id of the call or chat."""
        name = f"{self.noun}_id"
        return as_id(getattr(self, name), name)


class WaitingRecordOperator(DeferrableOperator):
    """Base class of the operators that can wait for a call or chat. The parameters are those of the base class."""

    noun: ClassVar[Noun]

    def after_event(
        self, context: Context, event: Mapping[str, Any], deadline: float | None = None, **state: Any
    ) -> Any:
        """Continue with the call or chat of the event."""
        name = f"{self.noun}_id"
        return self.after_wait(context, as_id(event.get(name), name), deadline, **state)

    @abstractmethod
    def after_wait(
        self, context: Context, record_id: str, deadline: float | None = None, **state: Any
    ) -> Any:
        """Do the rest of the work and return the task's result.

        :param deadline: epoch seconds at which a deferred wait ends.
        :param state: the values that :meth:`wait_for` was given.
        """


class ReadRecordOperator(RecordOperator):
    """Base class of the operators that read one call or chat. They describe the parameters."""

    def __init__(
        self,
        *,
        path: str | XComArg | None = None,
        path_conn_id: str | None = None,
        analysis_fields: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.check_effect("path", path is not None, path_conn_id=path_conn_id)
        if checks.is_literal(path):
            check_no_secrets("path", path)
        self.analysis_fields = checks.analysis_fields(analysis_fields)
        self.path = path
        self.path_conn_id = path_conn_id

    def work(self, context: Context) -> dict[str, Any]:
        """Read the call or chat."""
        path = self.rendered("path", as_text)
        if path is not None:
            check_no_secrets("path", path)
        record = self.hook.send(kind_of(self.noun).get(self.selected_id(context)))
        slim: dict[str, Any] = record.slim(self.analysis_fields)
        if path is None:
            return slim
        from airflow_provider_retell.common.atomic import atomic_write

        atomic_write(path, record.model_dump_json(exclude_none=True).encode(), self.path_conn_id)
        return slim | {"path": safe_path(path)}


class UpdateRecordOperator(RecordOperator):
    """Base class of the operators that update one call or chat. They describe the parameters.

    :cvar storage_settings: the values of ``data_storage_setting``.
    :param others: further fields. The operator needs at least one field that is not None.
    """

    storage_settings: ClassVar[Sequence[str]] = STORAGE_ORDER

    def __init__(
        self,
        *,
        metadata: Mapping[str, Any] | str | XComArg | None,
        data_storage_setting: str | XComArg | None,
        custom_attributes: Mapping[str, Any] | str | XComArg | None,
        metadata_mode: MetadataMode,
        remove_metadata_keys: Sequence[str],
        clear_metadata: bool,
        others: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.one_of("metadata_mode", metadata_mode, METADATA_MODES)
        checks.one_of_or_template("data_storage_setting", data_storage_setting, self.storage_settings)
        checks.flag(clear_metadata=clear_metadata)
        checks.exclusive(metadata=metadata, clear_metadata=clear_metadata)
        remove = checks.text_list("remove_metadata_keys", remove_metadata_keys)
        checks.exclusive(remove_metadata_keys=remove or None, clear_metadata=clear_metadata)
        values = (metadata, data_storage_setting, custom_attributes, *others.values())
        if not (remove or clear_metadata) and all(value is None for value in values):
            *names, last = self.settable()
            raise ValueError(f"set {', '.join(names)} or {last}")
        filling = metadata_mode if metadata_mode == "fill" else None
        self.check_effect("metadata", metadata is not None, metadata_mode=filling)
        self.metadata = metadata
        self.data_storage_setting = data_storage_setting
        self.custom_attributes = custom_attributes
        self.metadata_mode = metadata_mode
        self.remove_metadata_keys = remove
        self.clear_metadata = clear_metadata

    def settable(self) -> Sequence[str]:
        """Return the names of the parameters. The operator needs at least one of them."""
        return (
            "metadata",
            "remove_metadata_keys",
            "clear_metadata",
            "data_storage_setting",
            "custom_attributes",
        )

    def update_options(self, where: str) -> dict[str, Any]:
        """Return the arguments of ``prepare_update`` for the rendered parameters.

        :param where: names the request in error messages.
        """
        return {
            "metadata": self.rendered("metadata", as_object, where),
            "data_storage_setting": self.rendered("data_storage_setting", as_storage_setting, where),
            "custom_attributes": self.rendered("custom_attributes", as_object, where),
            "metadata_mode": self.metadata_mode,
            "remove_metadata_keys": self.remove_metadata_keys,
            "clear_metadata": self.clear_metadata,
        }

    def prepare(self, record_id: str) -> PreparedUpdate[Any]:
        """Return the update; raise :class:`RetellInputError` if the input is invalid."""
        from airflow_provider_retell.api.records.update import prepare_update

        where = f"update-{self.noun} of {self.noun} {record_id}: "
        return prepare_update(kind_of(self.noun), record_id, **self.update_options(where))

    def update(self, record_id: str, analysis_fields: Sequence[str]) -> dict[str, Any]:
        """Update the record and return its slim form."""
        updated = self.hook.run(self.prepare(record_id).apply())
        slim: dict[str, Any] = updated.slim(analysis_fields)
        return slim
