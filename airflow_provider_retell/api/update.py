"""Update one call and prove it: the steps, without I/O.

Blocking and async hooks run the very same procedures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.change import (
    Change,
    MetadataMode,
    check_answer,
    check_storage,
    mismatch,
    needed,
    not_ended,
)
from airflow_provider_retell.api.encode import to_json
from airflow_provider_retell.api.errors import (
    BadRequestError,
    NotFoundError,
    RetellError,
    RetellInputError,
    StorageConflictError,
    UnprocessableError,
)
from airflow_provider_retell.api.filters import DataStorageSetting
from airflow_provider_retell.api.models import Call, CallPage, CallState
from airflow_provider_retell.api.request import Procedure, Request, check_id

S = TypeVar("S", bound=CallState)


@dataclass(frozen=True)
class Updated:
    """What became of an update.

    :ivar call: the call as Retell last showed it.
    :ivar sent: False if nothing was sent because nothing would have changed.
    :ivar written: names of what was written, e.g. ``("metadata.tier", "data_storage_setting")``.
    :ivar unverified: names of what was written but cannot be seen in Retell's answer.
    """

    call: Call
    sent: bool
    written: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


def apply_change(call_id: str, change: Change, request: Request[S]) -> Procedure[S]:
    """Send *request*, which makes *change*; if Retell refuses it, read the call to say why. Returns the answer."""
    try:
        answer: S = yield request
    except (BadRequestError, UnprocessableError) as refusal:
        raise (yield from _explain(call_id, change.data_storage_setting, refusal)) from refusal
    return answer


def careful_update(
    call_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
    custom_attributes: Mapping[str, Any] | None = None,
    mode: MetadataMode = "replace",
    clear_metadata: bool = False,
    confirm_custom_attributes: bool = False,
) -> Procedure[Updated]:
    """Update one call and prove it.

    ``replace`` sends exactly one update-call. ``merge`` and ``fill`` read the call first and send only what
    changes, or nothing; that is not atomic, Retell has no conditional update. The answer is compared with what was
    sent. If Retell refuses with 400 or 422, the call is read to tell why.

    :param clear_metadata: remove all metadata: reads the call first, whatever the mode. Without this, empty metadata
        is refused where it would replace.
    :param confirm_custom_attributes: ask list-calls whether Retell kept the custom attributes, if its answer does
        not show them.
    :raises RetellInputError: before anything is sent, if something cannot be.
    :raises CallNotEndedError: if the call is not over.
    :raises StorageConflictError: if the storage setting would loosen.
    :raises UpdateMismatchError: if the call does not hold what was sent.
    """
    if mode not in get_args(MetadataMode):
        raise RetellInputError(f"metadata_mode is one of {', '.join(get_args(MetadataMode))}")
    about = f"update-call of call {check_id(call_id)}"
    if clear_metadata:
        metadata, mode = {}, "replace"
    elif metadata is not None and not metadata and mode == "replace":
        raise RetellInputError(
            f"{about}: metadata is empty, and metadata_mode='replace' would remove all that the call has. Leave "
            "metadata out to change nothing of it, or set clear_metadata=True to remove all of it"
        )
    wanted = Change(
        metadata=_plain(metadata, f"{about}: metadata"),
        data_storage_setting=data_storage_setting,
        custom_attributes=_plain(custom_attributes, f"{about}: custom_attributes"),
    )
    request = wanted.request(call_id)
    change, keys = wanted, tuple(sorted(wanted.metadata or ()))
    if mode != "replace" or clear_metadata:
        current: Call = yield endpoints.get_call(call_id)
        if not current.has_ended:
            raise not_ended(current)
        change, keys = needed(current, wanted, mode)
        if not change:
            return Updated(call=current, sent=False)
        request = change.request(call_id)
    answer = yield from apply_change(call_id, change, request)
    unverified = check_answer(change, answer)
    if confirm_custom_attributes and any(name.startswith("custom_attributes.") for name in unverified):
        yield from _confirm_attributes(answer, change)
        unverified = tuple(name for name in unverified if not name.startswith("custom_attributes."))
    return Updated(call=answer, sent=True, written=change.names(keys), unverified=unverified)


def _plain(value: Mapping[str, Any] | None, where: str) -> Any:
    return None if value is None else to_json(value, where)


def _explain(
    call_id: str, setting: DataStorageSetting | None, refusal: RetellError
) -> Procedure[RetellError]:
    # Retell documents neither the status nor the text of its refusals; the call itself tells what the matter is.
    try:
        call: Call = yield endpoints.get_call(call_id)
    except NotFoundError as missing:
        return missing
    except RetellError:
        return refusal
    if not call.has_ended:
        return not_ended(call)
    if setting is not None:
        try:
            check_storage(call, setting)
        except StorageConflictError as conflict:
            return conflict
    return refusal


def _confirm_attributes(call: Call, change: Change) -> Procedure[None]:
    missing = []
    for key, value in (change.custom_attributes or {}).items():
        kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
        page: CallPage = yield endpoints.list_calls(
            filter_criteria={
                "call_id": {"type": "string", "op": "eq", "value": call.call_id},
                "custom_attributes": [{"type": kind, "op": "eq", "value": value, "key": key}],
            },
            limit=1,
        )
        if not page.items:
            missing.append(f"custom_attributes.{key}")
    if missing:
        raise mismatch(call.call_id, change, tuple(missing))
