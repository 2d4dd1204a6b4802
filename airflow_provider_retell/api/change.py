"""What an update changes on a call: planned before it is sent, compared with the answer after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.encode import JsonValue, same_json
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    RetellInputError,
    StorageConflictError,
    UpdateMismatchError,
)
from airflow_provider_retell.api.filters import STORAGE_ORDER, DataStorageSetting
from airflow_provider_retell.api.models import Call, CallState
from airflow_provider_retell.api.reading import Mended
from airflow_provider_retell.api.request import Request

MetadataMode = Literal["replace", "merge", "fill"]
"""How new metadata meets what the call has.

``replace``: the new metadata is all that remains. ``merge``: new keys are laid over the present ones, top level
only. ``fill``: only keys that the call lacks (or has as null) are set.
"""


@dataclass(frozen=True)
class Change:
    """The changes wanted on one call, as plain JSON values. ``None`` leaves a part alone."""

    metadata: dict[str, JsonValue] | None = field(default=None, repr=False)
    data_storage_setting: DataStorageSetting | None = None
    custom_attributes: dict[str, str | bool | int | float] | None = field(default=None, repr=False)

    def request(self, call_id: str) -> Request[Call]:
        """Return the update-call that makes this change; raise :class:`RetellInputError` if it cannot be sent."""
        return endpoints.update_call(
            call_id,
            metadata=self.metadata,
            data_storage_setting=self.data_storage_setting,
            custom_attributes=self.custom_attributes,
        )

    def names(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the names of all that changes, where the metadata changes in *keys*."""
        names = [f"metadata.{key}" for key in keys] if self.metadata is not None else []
        if self.data_storage_setting is not None:
            names.append("data_storage_setting")
        return (*names, *(f"custom_attributes.{key}" for key in self.custom_attributes or ()))

    def __bool__(self) -> bool:
        return not (
            self.metadata is None and self.data_storage_setting is None and not self.custom_attributes
        )


def needed(
    call: CallState, wanted: Change, mode: MetadataMode, remove: frozenset[str] = frozenset()
) -> tuple[Change, tuple[str, ...]]:
    """Return what must be sent so that *call* becomes as *wanted*, and the metadata keys that would change.

    The change is false (``not change``) if nothing must be sent. Custom attributes are always sent: calls do not
    show them reliably.

    :param remove: metadata keys to take away.
    :raises StorageConflictError: if the storage setting would loosen.
    """
    current = call.metadata or {}
    target = _laid_over(current, wanted.metadata, mode, remove)
    changed = tuple(
        sorted(
            key for key in target.keys() | current.keys() if not same_json(target.get(key), current.get(key))
        )
    )
    setting = wanted.data_storage_setting
    if setting is not None:
        check_storage(call, setting)
    change = Change(
        metadata=_sendable(target) if changed else None,
        data_storage_setting=None if setting == call.data_storage_setting else setting,
        custom_attributes=wanted.custom_attributes or None,
    )
    return change, changed


def _laid_over(
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


def _sendable(value: Any) -> Any:
    """Return what came from Retell in a form that goes back unchanged: huge integers are doubles there."""
    if isinstance(value, dict):
        if any("\ufffd" in key for key in value):  # pydantic makes plain text of a mended key
            raise _cannot_stay("a key with half a surrogate pair, which UTF-8 cannot hold")
        return {key: _sendable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    if isinstance(value, Mended):
        raise _cannot_stay("text with half a surrogate pair, which UTF-8 cannot hold")
    if isinstance(value, int) and abs(value) >= 2**53:
        try:
            return float(value)
        except OverflowError:
            raise _cannot_stay("a number that is too large for a double") from None
    return value


def _cannot_stay(what: str) -> RetellInputError:
    return RetellInputError(
        f"the call's metadata holds {what}, so it cannot be kept as it is: set or remove that key too, or replace all "
        "metadata"
    )


def check_storage(call: CallState, setting: DataStorageSetting) -> None:
    """Raise :class:`StorageConflictError` if *setting* keeps more than the call's setting does."""
    now = call.data_storage_setting
    if now in STORAGE_ORDER and STORAGE_ORDER.index(setting) < STORAGE_ORDER.index(now):
        raise StorageConflictError(
            f"call {call.call_id}: data_storage_setting is {now}, and Retell never loosens it (asked: {setting}). "
            "Leave the setting out, or ask for the same or a stricter one"
        )


def not_ended(call: CallState) -> CallNotEndedError:
    """Return the error for a call that is not over yet."""
    return CallNotEndedError(
        f"call {call.call_id} is {call.call_status}: Retell updates only calls that have ended. Wait for its end "
        "first (run this task again later, or after a task that waits), or change the live call with "
        "UpdateLiveCallOperator"
    )


def differences(asked: Change, answer: CallState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Compare what was sent with the call that came back: names that differ, and names that cannot be seen."""
    wrong: list[str] = []
    unseen: list[str] = []
    if asked.metadata is not None:
        has = answer.metadata or {}
        for key in sorted(asked.metadata.keys() | has.keys()):
            if same_json(asked.metadata.get(key), has.get(key)):
                continue
            # With this setting Retell masks personal data in metadata values, so a value may rightly differ.
            masked = answer.data_storage_setting == "everything_except_pii" and key in asked.metadata
            (unseen if masked else wrong).append(f"metadata.{key}")
    if asked.data_storage_setting is not None and answer.data_storage_setting != asked.data_storage_setting:
        (unseen if answer.data_storage_setting is None else wrong).append("data_storage_setting")
    for key, value in (asked.custom_attributes or {}).items():
        if answer.custom_attributes is None:
            unseen.append(f"custom_attributes.{key}")
        elif not same_json(answer.custom_attributes.get(key), value):
            wrong.append(f"custom_attributes.{key}")
    return tuple(wrong), tuple(unseen)


def check_answer(asked: Change, answer: CallState) -> tuple[str, ...]:
    """Raise :class:`UpdateMismatchError` if the answer is not as asked; return the names that cannot be seen."""
    wrong, unseen = differences(asked, answer)
    if wrong:
        raise mismatch(answer.call_id, asked, wrong)
    return unseen


def mismatch(call_id: str, asked: Change, wrong: tuple[str, ...]) -> UpdateMismatchError:
    """Return the error for a call that does not hold *wrong*, with what is likely to be the matter."""
    kept = [name for name in wrong if name.startswith("metadata.") and name[9:] not in (asked.metadata or {})]
    hints = []
    if kept:
        hints.append(
            "Metadata keys that were not sent are still there, so Retell merges instead of replacing: use "
            "metadata_mode='merge' if they may stay"
        )
    if any(name.startswith("custom_attributes.") for name in wrong):
        hints.append(
            "Custom attributes must be defined in Retell's dashboard first and are written by their id; Retell "
            "drops unknown ones"
        )
    return UpdateMismatchError(
        f"call {call_id}: Retell accepted the update, but the call does not hold what was sent in: {', '.join(wrong)}. "
        + ". ".join(hints or ["Read the call and compare, then run the task again"]),
        fields=wrong,
    )
