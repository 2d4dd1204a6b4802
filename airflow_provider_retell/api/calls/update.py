"""Update a call and verify the result, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.changes import (
    Change,
    check_storage,
    diff,
    mismatch,
    not_ended,
    verify,
)
from airflow_provider_retell.api.calls.models import Call, CallPage, CallState
from airflow_provider_retell.api.choices import METADATA_MODES, DataStorageSetting, MetadataMode
from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.api.errors import (
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RetellError,
    RetellInputError,
    StorageConflictError,
    UnprocessableError,
)
from airflow_provider_retell.api.request import Flow, Request, check_id

S = TypeVar("S", bound=CallState)


@dataclass(frozen=True)
class UpdateResult:
    """The result of an update.

    :ivar call: the call as Retell returned it last.
    :ivar sent: False if nothing was sent because the call already had all values.
    :ivar written: the names of the fields that were written, for example ``("metadata.tier", "data_storage_setting")``.
    :ivar unverified: the names of the written fields that Retell's response does not show.
    """

    call: Call
    sent: bool
    written: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedUpdate:
    """An update whose input has been checked. :meth:`apply` can run later, for example after a wait."""

    call_id: str
    wanted: Change
    mode: MetadataMode
    remove: frozenset[str]
    reads_first: bool
    confirm_custom_attributes: bool

    def apply(self) -> Flow[UpdateResult]:
        """Read the call if necessary, send the differences, and verify the response."""
        change, keys = self.wanted, tuple(sorted(self.wanted.metadata or ()))
        if self.reads_first:
            current = yield from self._read()
            if not current.has_ended:
                raise not_ended(current)
            change, keys = diff(current, self.wanted, self.mode, self.remove)
            if not change:
                return UpdateResult(call=current, sent=False)
        call = yield from apply_change(self.call_id, change, change.request(self.call_id))
        unverified = verify(change, call)
        if self.confirm_custom_attributes and any(
            name.startswith("custom_attributes.") for name in unverified
        ):
            yield from _confirm_attributes(call, change)
            unverified = tuple(name for name in unverified if not name.startswith("custom_attributes."))
        return UpdateResult(call=call, sent=True, written=change.names(keys), unverified=unverified)

    def _read(self) -> Flow[Call]:
        try:
            call: Call = yield endpoints.get_call(self.call_id)
        except PermissionDeniedError as error:
            raise PermissionDeniedError(
                f"{error} The update reads the call first. With metadata_mode='replace' it does not, but it deletes "
                "all metadata keys that you do not send.",
                status=error.status,
                detail=error.detail,
            ) from error
        return call


def prepare_update(
    call_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
    custom_attributes: Mapping[str, Any] | None = None,
    metadata_mode: MetadataMode = "merge",
    remove_metadata_keys: Iterable[str] = (),
    clear_metadata: bool = False,
    confirm_custom_attributes: bool = False,
) -> PreparedUpdate:
    """Check the input of an update. For the parameters, see :func:`update_call_checked`.

    :raises RetellInputError: if the input is invalid.
    """
    if metadata_mode not in METADATA_MODES:
        raise RetellInputError(
            f"metadata_mode must be one of {', '.join(METADATA_MODES)}, not {metadata_mode!r}"
        )
    call_id = check_id(call_id)
    operation = f"update-call of call {call_id}"
    remove = frozenset(remove_metadata_keys)
    if clear_metadata:
        metadata, metadata_mode = {}, "replace"
    elif metadata is not None and not metadata and metadata_mode == "replace":
        raise RetellInputError(
            f"{operation}: metadata is empty, and metadata_mode='replace' would delete all metadata of the call. Leave "
            "metadata out to keep it, or set clear_metadata=True to delete it"
        )
    wanted = Change.encode(
        operation,
        metadata=metadata,
        data_storage_setting=data_storage_setting,
        custom_attributes=custom_attributes,
    )
    if both := remove.intersection(wanted.metadata or ()):
        raise RetellInputError(
            f"{operation}: remove_metadata_keys has keys that metadata sets: {', '.join(sorted(map(safe_name, both)))}"
        )
    if wanted != Change() or not remove:
        wanted.request(call_id)  # raises if the change is invalid
    return PreparedUpdate(
        call_id=call_id,
        wanted=wanted,
        mode=metadata_mode,
        remove=remove,
        reads_first=metadata_mode != "replace" or clear_metadata or (bool(remove) and metadata is None),
        confirm_custom_attributes=confirm_custom_attributes,
    )


def update_call_checked(
    call_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
    custom_attributes: Mapping[str, Any] | None = None,
    metadata_mode: MetadataMode = "merge",
    remove_metadata_keys: Iterable[str] = (),
    clear_metadata: bool = False,
    confirm_custom_attributes: bool = False,
) -> Flow[UpdateResult]:
    """Update a call that has ended, send only the differences, and verify Retell's response.

    ``merge`` and ``fill`` read the call first, and send no update if the call already has all values. Retell has no
    conditional update, so a change that another client makes between the two requests may be lost. ``replace`` sends
    the update without reading. If Retell rejects an update with 400 or 422, the call is read to find the reason.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/update_call.html

    ::

        result = hook.update_call_checked("call_abc", metadata={"tier": "gold"})

    :param call_id: the call.
    :param metadata: the metadata keys to set; up to 50 kB of JSON in all.
    :param data_storage_setting: the data that Retell stores; it can only be made stricter, and never undone.
    :param custom_attributes: values by the id of an attribute that is defined in Retell's dashboard.
    :param metadata_mode: ``"merge"`` (default) keeps other keys, ``"fill"`` sets only missing keys, ``"replace"``
        deletes all other keys.
    :param remove_metadata_keys: metadata keys to delete.
    :param clear_metadata: True to delete all metadata.
    :param confirm_custom_attributes: True to confirm custom attributes with list-calls if the response does not show
        them; one request per attribute.
    :raises RetellInputError: if the input is invalid.
    :raises CallNotEndedError: if the call has not ended.
    :raises StorageConflictError: if the data storage setting would become less restrictive.
    :raises UpdateMismatchError: if the updated call does not have the values that were sent.
    """
    prepared = prepare_update(
        call_id,
        metadata=metadata,
        data_storage_setting=data_storage_setting,
        custom_attributes=custom_attributes,
        metadata_mode=metadata_mode,
        remove_metadata_keys=remove_metadata_keys,
        clear_metadata=clear_metadata,
        confirm_custom_attributes=confirm_custom_attributes,
    )
    return (yield from prepared.apply())


def apply_change(call_id: str, change: Change, request: Request[S]) -> Flow[S]:
    """Send *request*, which makes *change*, and return the call. If Retell rejects it, read the call to see why."""
    try:
        call: S = yield request
    except (BadRequestError, UnprocessableError) as rejection:
        raise (yield from _explain(call_id, change.data_storage_setting, rejection)) from rejection
    return call


def _explain(call_id: str, setting: DataStorageSetting | None, rejection: RetellError) -> Flow[RetellError]:
    # Retell documents neither the status nor the text of these rejections, but the call shows the reason.
    try:
        call: Call = yield endpoints.get_call(call_id)
    except NotFoundError as missing:
        return missing
    except RetellError:
        return rejection
    if not call.has_ended:
        return not_ended(call)
    if setting is not None:
        try:
            check_storage(call, setting)
        except StorageConflictError as conflict:
            return conflict
    return rejection


def _confirm_attributes(call: Call, change: Change) -> Flow[None]:
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
