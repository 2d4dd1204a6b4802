"""Plan the change that an update makes to a call, and verify it in the response."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.body import build_encoded
from airflow_provider_retell.api.calls.bodies import UpdateCall
from airflow_provider_retell.api.calls.models import Call, CallState
from airflow_provider_retell.api.choices import STORAGE_ORDER, DataStorageSetting, MetadataMode
from airflow_provider_retell.api.encode import JsonValue, same_json, to_json
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    RetellInputError,
    StorageConflictError,
    UpdateMismatchError,
)
from airflow_provider_retell.api.parsing import RepairedText
from airflow_provider_retell.api.request import Request, check_id, given


@dataclass(frozen=True)
class Change:
    """The fields to change on a call, already converted to JSON values. ``None`` leaves a field unchanged.

    :ivar remove: metadata keys to delete. Only :func:`diff` reads them; its result has none.
    """

    metadata: dict[str, JsonValue] | None = field(default=None, repr=False)
    data_storage_setting: DataStorageSetting | None = None
    custom_attributes: dict[str, str | bool | int | float] | None = field(default=None, repr=False)
    remove: frozenset[str] = frozenset()

    @classmethod
    def encode(
        cls,
        where: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        data_storage_setting: DataStorageSetting | None = None,
        custom_attributes: Mapping[str, Any] | None = None,
    ) -> Change:
        """Return the change with its values converted to JSON.

        :param where: names the request in error messages.
        :raises RetellInputError: if a value has no JSON form.
        """
        return cls(
            metadata=_encode(metadata, f"{where}: metadata"),
            data_storage_setting=_encode(data_storage_setting, f"{where}: data_storage_setting"),
            custom_attributes=_encode(custom_attributes, f"{where}: custom_attributes"),
        )

    def request(self, call_id: str) -> Request[Call]:
        """Return the update-call request for this change; raise :class:`RetellInputError` if it is invalid."""
        call_id = check_id(call_id)
        operation = f"update-call of call {call_id}"
        fields = given(
            metadata=self.metadata,
            data_storage_setting=self.data_storage_setting,
            custom_attributes=self.custom_attributes,
        )
        if not fields:
            raise RetellInputError(f"{operation}: set metadata, data_storage_setting or custom_attributes")
        return Request(
            operation="update-call",
            method="PATCH",
            path=f"/v2/update-call/{call_id}",
            body=build_encoded(UpdateCall, operation, fields),
            parse=Call.read,
            subject=f"call {call_id}",
        )

    def names(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the fields to change; *keys* are the names of the metadata keys."""
        names = [f"metadata.{key}" for key in keys] if self.metadata is not None else []
        if self.data_storage_setting is not None:
            names.append("data_storage_setting")
        return (*names, *(f"custom_attributes.{key}" for key in self.custom_attributes or ()))

    def __bool__(self) -> bool:
        return not (
            self.metadata is None and self.data_storage_setting is None and not self.custom_attributes
        )


def _encode(value: Any, where: str) -> Any:
    return None if value is None else to_json(value, where)


def diff(
    call: CallState, wanted: Change, mode: MetadataMode, remove: frozenset[str] = frozenset()
) -> tuple[Change, tuple[str, ...]]:
    """Return the change that brings *call* to the *wanted* state, and the names of the metadata keys that differ.

    The change is falsy if there is nothing to send. It always includes the custom attributes, because Retell's
    responses do not show them reliably.

    :param remove: metadata keys to delete.
    :raises StorageConflictError: if the data storage setting would become less restrictive.
    """
    current = call.metadata or {}
    target = _merge(current, wanted.metadata, mode, remove | wanted.remove)
    changed = tuple(
        sorted(
            key for key in target.keys() | current.keys() if not same_json(target.get(key), current.get(key))
        )
    )
    setting = wanted.data_storage_setting
    if setting is not None:
        check_storage(call, setting)
    change = Change(
        metadata=_with_sendable(target, wanted.metadata or {}) if changed else None,
        data_storage_setting=None if setting == call.data_storage_setting else setting,
        custom_attributes=wanted.custom_attributes or None,
    )
    return change, changed


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
    return {**target, **_sendable(kept)}


def _sendable(value: Any) -> Any:
    """Return metadata from Retell in a form that Retell stores unchanged. Retell stores huge integers as doubles."""
    if isinstance(value, dict):
        # pydantic turns a repaired key into plain text, so look for the replacement character.
        if any("\ufffd" in key for key in value):
            raise _cannot_send_back("a key with half of a surrogate pair, which UTF-8 cannot encode")
        return {key: _sendable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    if isinstance(value, RepairedText):
        raise _cannot_send_back("text with half of a surrogate pair, which UTF-8 cannot encode")
    if isinstance(value, int) and abs(value) >= 2**53:
        try:
            return float(value)
        except OverflowError:
            raise _cannot_send_back("a number that is too large for a double") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise _cannot_send_back("a number that is NaN or infinite")
    return value


def _cannot_send_back(content: str) -> RetellInputError:
    return RetellInputError(
        f"the call's metadata has {content}, so it cannot be preserved: set or remove that key too, or replace all "
        "metadata"
    )


def check_storage(call: CallState, setting: DataStorageSetting) -> None:
    """Raise :class:`StorageConflictError` if *setting* stores more data than the current setting of *call*."""
    current = call.data_storage_setting
    if current in STORAGE_ORDER and STORAGE_ORDER.index(setting) < STORAGE_ORDER.index(current):
        raise StorageConflictError(
            f"call {call.call_id}: data_storage_setting is {current}, and Retell never makes it less restrictive "
            f"(requested: {setting}). Leave the setting out, or request the same or a stricter one"
        )


def not_ended(call: CallState) -> CallNotEndedError:
    """Return the error for a call that has not ended."""
    return CallNotEndedError(
        f"call {call.call_id} is {call.call_status}: Retell updates only calls that have ended. Set "
        "wait_until='ended', run this task after one that waits, or change the ongoing call with "
        "UpdateLiveCallOperator"
    )


def differences(sent: Change, call: CallState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Compare *sent* with *call*; return the fields that differ, and the fields that *call* does not show."""
    wrong: list[str] = []
    unverified: list[str] = []
    if sent.metadata is not None:
        stored = call.metadata or {}
        for key in sorted(sent.metadata.keys() | stored.keys()):
            if same_json(sent.metadata.get(key), stored.get(key)):
                continue
            # With this setting, Retell may have masked personal data in the value.
            masked = call.data_storage_setting == "everything_except_pii" and key in sent.metadata
            (unverified if masked else wrong).append(f"metadata.{key}")
    if sent.data_storage_setting is not None and call.data_storage_setting != sent.data_storage_setting:
        (unverified if call.data_storage_setting is None else wrong).append("data_storage_setting")
    for key, value in (sent.custom_attributes or {}).items():
        if call.custom_attributes is None:
            unverified.append(f"custom_attributes.{key}")
        elif not same_json(call.custom_attributes.get(key), value):
            wrong.append(f"custom_attributes.{key}")
    return tuple(wrong), tuple(unverified)


def verify(sent: Change, call: CallState) -> tuple[str, ...]:
    """Return the names of the fields that *call*, the response, does not show.

    :raises UpdateMismatchError: if a field of *call* differs from *sent*.
    """
    wrong, unverified = differences(sent, call)
    if wrong:
        raise mismatch(call.call_id, sent, wrong)
    return unverified


def mismatch(call_id: str, sent: Change, wrong: tuple[str, ...]) -> UpdateMismatchError:
    """Return the error for a call whose fields *wrong* differ from *sent*, with the likely causes."""
    kept = [name for name in wrong if name.startswith("metadata.") and name[9:] not in (sent.metadata or {})]
    hints = []
    if kept:
        hints.append(
            "The call still has metadata keys that were not sent, so Retell merges instead of replacing: use "
            "metadata_mode='merge' if they may stay"
        )
    if any(name.startswith("custom_attributes.") for name in wrong):
        hints.append(
            "Custom attributes must be defined in Retell's dashboard first, and are set by their id. Retell drops "
            "unknown ids"
        )
    return UpdateMismatchError(
        f"call {call_id}: Retell accepted the update, but these fields of the call differ from the values sent: "
        f"{', '.join(wrong)}. " + ". ".join(hints or ["Read the call and compare, then run the task again"]),
        fields=wrong,
    )
