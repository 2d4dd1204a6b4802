"""Update a call or a chat and verify the result, without I/O."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airflow_provider_retell.api.choices import METADATA_MODES, MetadataMode
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
from airflow_provider_retell.api.records.changes import (
    Change,
    check_storage,
    diff,
    mismatch,
    not_ended,
    verify,
)
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.api.records.models import RecordState, RecordSummary
from airflow_provider_retell.api.request import Flow, Request, check_id
from airflow_provider_retell.api.storable import Storable

log = logging.getLogger(__name__)

R = TypeVar("R", bound=RecordSummary)
S = TypeVar("S", bound=RecordState)


@dataclass(frozen=True)
class UpdateResult(Storable, Generic[R]):
    """The result of an update. A task that returns it stores only :meth:`slim` in XCom.

    :ivar record: the call or chat as Retell returned it last.
    :ivar sent: False if nothing was sent because the call or chat already had all values.
    :ivar written: the names of the fields that were written, for example ``("metadata.tier", "data_storage_setting")``.
    :ivar unverified: the names of the written fields that Retell's response does not show.
    """

    record: R
    sent: bool
    written: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    def slim(self, analysis_fields: Iterable[str] = ()) -> dict[str, Any]:
        """Return the result of the operators: the record's :meth:`slim`, ``updated`` and ``written``, but no content.

        :param analysis_fields: the fields of the analysis to add as ``analysis``. Default: none, and no ``analysis``.
        """
        return self.record.slim(analysis_fields) | {"updated": self.sent, "written": list(self.written)}


@dataclass(frozen=True)
class PreparedUpdate(Generic[R]):
    """An update whose input has been checked. :meth:`apply` can run later, for example after a wait."""

    kind: Kind[R]
    record_id: str
    wanted: Change
    mode: MetadataMode
    remove: frozenset[str]
    reads_first: bool
    confirm_custom_attributes: bool

    def apply(self) -> Flow[UpdateResult[R]]:
        """Read the record if necessary, send the differences, verify the response, and log the names of the fields."""
        result = yield from self._apply()
        name = f"{self.kind.name.title()} {self.record_id}"
        if not result.sent:
            log.info("%s: no update was sent, because the %s already has all values", name, self.kind.name)
            return result
        log.info("%s: wrote %s", name, ", ".join(result.written))
        if result.unverified:
            log.warning(
                "%s: Retell's response does not show whether it stored %s", name, ", ".join(result.unverified)
            )
        return result

    def _apply(self) -> Flow[UpdateResult[R]]:
        change, keys = self.wanted, tuple(sorted(self.wanted.metadata or ()))
        if self.reads_first:
            current = yield from self._read()
            if change.needs_end and not current.has_ended:
                raise not_ended(current)
            change, keys = diff(current, self.wanted, self.mode, self.remove)
            if not change:
                return UpdateResult(record=current, sent=False)
        record = yield from apply_change(self.kind, self.record_id, change, change.request(self.record_id))
        unverified = verify(change, record)
        if self.confirm_custom_attributes and any(
            name.startswith("custom_attributes.") for name in unverified
        ):
            yield from _confirm_attributes(self.kind, self.record_id, change)
            unverified = tuple(name for name in unverified if not name.startswith("custom_attributes."))
        return UpdateResult(record=record, sent=True, written=change.names(keys), unverified=unverified)

    def _read(self) -> Flow[R]:
        try:
            record: R = yield self.kind.get(self.record_id)
        except PermissionDeniedError as error:
            reading = f"{error} The update reads the {self.kind.name} first."
            if self.mode != "replace" and not _needs_attributes(self.wanted):
                reading = (
                    f"{reading} With metadata_mode='replace' it does not, but it deletes all metadata keys that you do "
                    "not send."
                )
            raise PermissionDeniedError(
                reading,
                status=error.status,
                detail=error.detail,
            ) from error
        return record


def prepare_update(
    kind: Kind[R],
    record_id: str,
    *,
    metadata_mode: MetadataMode = "merge",
    remove_metadata_keys: Iterable[str] = (),
    clear_metadata: bool = False,
    confirm_custom_attributes: bool = False,
    **values: Any,
) -> PreparedUpdate[R]:
    """Check the input of an update.

    :param values: the fields of the change. For the other parameters, see the hook's ``update_call_checked``.
    :raises RetellInputError: if the input is invalid.
    """
    if metadata_mode not in METADATA_MODES:
        raise RetellInputError(
            f"metadata_mode must be one of {', '.join(METADATA_MODES)}, not {metadata_mode!r}"
        )
    record_id = check_id(record_id, f"{kind.name}_id")
    operation = kind.change.operation(record_id)
    remove = frozenset(remove_metadata_keys)
    metadata = values.get("metadata")
    if clear_metadata:
        metadata, metadata_mode = {}, "replace"
    elif metadata is not None and not metadata and metadata_mode == "replace":
        raise RetellInputError(
            f"{operation}: metadata is empty, and metadata_mode='replace' would delete all metadata of the "
            f"{kind.name}. Leave metadata out to keep it, or set clear_metadata=True to delete it"
        )
    wanted = kind.change.encode(operation, **{**values, "metadata": metadata})
    if both := remove.intersection(wanted.metadata or ()):
        raise RetellInputError(
            f"{operation}: remove_metadata_keys has keys that metadata sets: {', '.join(sorted(map(safe_name, both)))}"
        )
    if wanted != kind.change() or not remove:
        wanted.request(record_id)  # raises if the change is invalid
    return PreparedUpdate(
        kind=kind,
        record_id=record_id,
        wanted=wanted,
        mode=metadata_mode,
        remove=remove,
        reads_first=metadata_mode != "replace"
        or clear_metadata
        or _needs_attributes(wanted)
        or (bool(remove) and metadata is None),
        confirm_custom_attributes=confirm_custom_attributes,
    )


def _needs_attributes(wanted: Change) -> bool:
    """Return True if the update must know the other custom attributes, because it could delete them."""
    return wanted.shows_attributes and bool(wanted.custom_attributes)


def apply_change(kind: Kind[Any], record_id: str, change: Change, request: Request[S]) -> Flow[S]:
    """Send *request*, which makes *change*, and return the record. If Retell rejects it, read it to see why."""
    try:
        record: S = yield request
    except (BadRequestError, UnprocessableError) as rejection:
        raise (yield from _explain(kind, record_id, change, rejection)) from rejection
    return record


def _explain(kind: Kind[Any], record_id: str, change: Change, rejection: RetellError) -> Flow[RetellError]:
    # Retell documents neither the status nor the text of these rejections, but the record shows the reason.
    try:
        record: RecordState = yield kind.get(record_id)
    except NotFoundError as missing:
        return missing
    except RetellError:
        return rejection
    if change.needs_end and not record.has_ended:
        return not_ended(record)
    if change.data_storage_setting is not None:
        try:
            check_storage(record, change.data_storage_setting)
        except StorageConflictError as conflict:
            return conflict
    return rejection


def _confirm_attributes(kind: Kind[Any], record_id: str, change: Change) -> Flow[None]:
    missing = []
    for key, value in (change.custom_attributes or {}).items():
        value_type = (
            "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
        )
        page = yield kind.listing(
            filter_criteria={
                f"{kind.name}_id": {"type": "string", "op": "eq", "value": record_id},
                "custom_attributes": [{"type": value_type, "op": "eq", "value": value, "key": key}],
            },
            limit=1,
        )
        if not page.items:
            missing.append(f"custom_attributes.{key}")
    if missing:
        raise mismatch(record_id, change, tuple(missing))
