"""Plan the change that an update makes to a call or a chat, and verify it in the response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeVar

from airflow_provider_retell.api.body import Body, build_encoded
from airflow_provider_retell.api.choices import STORAGE_ORDER, DataStorageSetting, MetadataMode
from airflow_provider_retell.api.encode import JsonValue, UnsendableError, same_json, sendable, to_json
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    RetellInputError,
    StorageConflictError,
    UpdateMismatchError,
)
from airflow_provider_retell.api.records.models import RecordState, RecordSummary
from airflow_provider_retell.api.request import Request, Unset, check_id, given

C = TypeVar("C", bound="Change")


@dataclass(frozen=True)
class Change:
    """The fields to change on a record, already converted to JSON values. ``None`` leaves a field unchanged.

    The subclass of each kind has the endpoint.

    :cvar path: the path of the endpoint, up to the id.
    :cvar shows_attributes: True if Retell declares custom attributes in its responses.
    :cvar needs_end: True if Retell updates only records that have ended.
    :ivar remove: metadata keys to delete. Only :func:`diff` reads them; its result has none.
    :ivar kept: names of custom attributes that are sent with the values that the record has. Only :func:`diff` sets
        them.
    """

    kind: ClassVar[str]
    path: ClassVar[str]
    body: ClassVar[type[Body]]
    record: ClassVar[type[RecordSummary]]
    shows_attributes: ClassVar[bool] = False
    needs_end: ClassVar[bool] = True

    metadata: dict[str, JsonValue] | None = field(default=None, repr=False)
    data_storage_setting: DataStorageSetting | None = None
    custom_attributes: dict[str, str | bool | int | float] | None = field(default=None, repr=False)
    remove: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()

    @classmethod
    def encode(cls: type[C], where: str, **values: Any) -> C:
        """Return the change with its values converted to JSON.

        :param where: names the request in error messages.
        :raises RetellInputError: if a value has no JSON form.
        """
        return cls(**{name: _encode(value, f"{where}: {name}") for name, value in values.items()})

    @classmethod
    def operation(cls, record_id: str) -> str:
        """Return the name of the request for messages."""
        return f"update-{cls.kind} of {cls.kind} {record_id}"

    def values(self) -> dict[str, Any]:
        """Return the fields to send."""
        return given(
            metadata=self.metadata,
            data_storage_setting=self.data_storage_setting,
            custom_attributes=self.custom_attributes,
        )

    def request(self, record_id: str, response: type[RecordState] | None = None) -> Request[Any]:
        """Return the request for this change.

        :param response: the model of the response, if not all fields are necessary.
        :raises RetellInputError: if the change is invalid.
        """
        record_id = check_id(record_id, f"{self.kind}_id")
        operation = self.operation(record_id)
        values = self.values()
        if not values:
            *names, last = [item.name for item in fields(self) if item.name not in ("remove", "kept")]
            raise RetellInputError(f"{operation}: set {', '.join(names)} or {last}")
        return Request(
            operation=f"update-{self.kind}",
            method="PATCH",
            path=f"{self.path}{record_id}",
            body=build_encoded(self.body, operation, values),
            parse=(response or self.record).read,
            subject=f"{self.kind} {record_id}",
        )

    def names(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the fields to change; *keys* are the names of the metadata keys."""
        names = [f"metadata.{key}" for key in keys] if self.metadata is not None else []
        if self.data_storage_setting is not None:
            names.append("data_storage_setting")
        attributes = (
            f"custom_attributes.{key}" for key in self.custom_attributes or () if key not in self.kept
        )
        return (*names, *attributes, *self.hidden_names())

    def hidden_names(self) -> tuple[str, ...]:
        """Return the names of the fields to send that no response shows."""
        return ()

    def __bool__(self) -> bool:
        is_empty = self.metadata is None and self.data_storage_setting is None
        return not is_empty or bool(self.custom_attributes or self.hidden_names())


def _encode(value: Any, where: str) -> Any:
    return value if value is None or isinstance(value, Unset) else to_json(value, where)


def diff(
    record: RecordState, wanted: C, mode: MetadataMode, remove: frozenset[str] = frozenset()
) -> tuple[C, tuple[str, ...]]:
    """Return the change that brings *record* to the *wanted* state, and the names of the metadata keys that differ.

    The change is falsy if there is nothing to send. The custom attributes of calls are always sent, because Retell's
    responses do not show them reliably.

    :param remove: metadata keys to delete.
    :raises StorageConflictError: if the data storage setting would become less restrictive.
    """
    current = record.metadata or {}
    target = _merge(current, wanted.metadata, mode, remove | wanted.remove)
    changed = tuple(
        sorted(
            key for key in target.keys() | current.keys() if not same_json(target.get(key), current.get(key))
        )
    )
    setting = wanted.data_storage_setting
    if setting is not None:
        check_storage(record, setting)
    change = replace(
        wanted,
        metadata=_with_sendable(target, wanted.metadata or {}) if changed else None,
        data_storage_setting=None if setting == record.data_storage_setting else setting,
        remove=frozenset(),
        **_attributes(record, wanted),
    )
    return change, changed


def _attributes(record: RecordState, wanted: Change) -> dict[str, Any]:
    """Return the custom attributes to send, and the names of those that keep their values.

    If one differs, all that the record shows are sent, because Retell does not document whether it keeps the others.
    """
    current, values = record.custom_attributes or {}, wanted.custom_attributes or {}
    same = {name for name, value in values.items() if same_json(value, current.get(name))}
    if not wanted.shows_attributes:
        same = set()
    if same == values.keys():
        return {"custom_attributes": None}
    others = {name: item for name, item in current.items() if name not in values and item is not None}
    try:
        sent = {**sendable(others), **values}
    except UnsendableError as error:
        raise RetellInputError(
            f"its custom attributes have {error}, so they cannot be preserved: set that attribute too"
        ) from None
    return {"custom_attributes": sent, "kept": frozenset(others.keys() | same)}


def _merge(
    current: Mapping[str, Any],
    wanted: Mapping[str, JsonValue] | None,
    mode: MetadataMode,
    remove: frozenset[str],
) -> dict[str, JsonValue]:
    if mode == "replace" and wanted is not None:
        target = dict(wanted)
    elif wanted is None:
        target = dict(current)
    elif mode == "merge":
        target = {**current, **wanted}
    else:
        target = {**wanted, **{key: item for key, item in current.items() if item is not None}}
    return {key: item for key, item in target.items() if key not in remove}


def _with_sendable(target: dict[str, JsonValue], own: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return *target*, with the values that come from Retell in a form that can be sent back."""
    kept = {key: item for key, item in target.items() if key not in own or item is not own[key]}
    try:
        return {**target, **sendable(kept)}
    except UnsendableError as error:
        raise RetellInputError(
            f"its metadata has {error}, so it cannot be preserved: set or remove that key too, or replace all metadata"
        ) from None


def check_storage(record: RecordState, setting: DataStorageSetting) -> None:
    """Raise :class:`StorageConflictError` if *setting* stores more data than the current setting of *record*."""
    current = record.data_storage_setting
    if current in STORAGE_ORDER and STORAGE_ORDER.index(setting) < STORAGE_ORDER.index(current):
        raise StorageConflictError(
            f"{record.kind} {record.record_id}: data_storage_setting is {current}, and Retell never makes it less "
            f"restrictive (requested: {setting}). Leave the setting out, or request the same or a stricter one"
        )


def not_ended(call: RecordState) -> CallNotEndedError:
    """Return the error for a call that has not ended."""
    return CallNotEndedError(
        f"call {call.record_id} is {call.status}: Retell updates only calls that have ended. Set "
        "wait_until='ended', run this task after one that waits, or change the ongoing call with "
        "UpdateLiveCallOperator"
    )


def differences(sent: Change, record: RecordState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Compare *sent* with *record*; return the fields that differ, and the fields that *record* does not show."""
    wrong: list[str] = []
    unverified: list[str] = []
    if sent.metadata is not None:
        stored = record.metadata or {}
        for key in sorted(sent.metadata.keys() | stored.keys()):
            if same_json(sent.metadata.get(key), stored.get(key)):
                continue
            # With this setting, Retell may have masked personal data in the value.
            masked = record.data_storage_setting == "everything_except_pii" and key in sent.metadata
            (unverified if masked else wrong).append(f"metadata.{key}")
    if sent.data_storage_setting is not None and record.data_storage_setting != sent.data_storage_setting:
        (unverified if record.data_storage_setting is None else wrong).append("data_storage_setting")
    for key, value in (sent.custom_attributes or {}).items():
        if record.custom_attributes is None:
            unverified.append(f"custom_attributes.{key}")
        elif not same_json(record.custom_attributes.get(key), value):
            wrong.append(f"custom_attributes.{key}")
    return tuple(wrong), (*unverified, *sent.hidden_names())


def verify(sent: Change, record: RecordState) -> tuple[str, ...]:
    """Return the names of the fields that *record*, the response, does not show.

    :raises UpdateMismatchError: if a field of *record* differs from *sent*.
    """
    wrong, unverified = differences(sent, record)
    if wrong:
        raise mismatch(record.record_id, sent, wrong)
    return unverified


def mismatch(record_id: str, sent: Change, wrong: tuple[str, ...]) -> UpdateMismatchError:
    """Return the error for a record whose fields *wrong* differ from *sent*, with the likely causes."""
    kept = [name for name in wrong if name.startswith("metadata.") and name[9:] not in (sent.metadata or {})]
    hints = []
    if kept:
        hints.append(
            f"The {sent.kind} still has metadata keys that were not sent, so Retell merges instead of replacing: use "
            "metadata_mode='merge' if they may stay"
        )
    if any(name.startswith("custom_attributes.") for name in wrong):
        hints.append(
            "Custom attributes must be defined in Retell's dashboard first, and are set by their id. Retell drops "
            "unknown ids"
        )
    return UpdateMismatchError(
        f"{sent.kind} {record_id}: Retell accepted the update, but these fields of the {sent.kind} differ from the "
        f"values sent: {', '.join(wrong)}. "
        + ". ".join(hints or [f"Read the {sent.kind} and compare, then run the task again"]),
        fields=wrong,
    )
