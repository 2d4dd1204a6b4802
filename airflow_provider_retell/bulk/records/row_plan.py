"""Plan a row: an update of its record, or the row's result without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.api.errors import RetellInputError, StorageConflictError
from airflow_provider_retell.api.records.changes import Change, diff, verify
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.api.records.models import RecordState
from airflow_provider_retell.api.records.update import apply_change
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request


@dataclass(frozen=True)
class PlannedUpdate(Planned):
    """The update that a row requires.

    :ivar record: the call or chat before the update.
    :ivar request: the request that sends the change.
    :ivar keys: the names of the metadata keys among the changed fields.
    """

    row: int
    kind: Kind[Any]
    record: RecordState
    change: Change
    request: Request[RecordState]
    changed: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def record_id(self) -> str:
        """The id of the call or chat."""
        return self.record.record_id

    def apply(self) -> Flow[Applied]:
        """Send the update and verify the response.

        :raises UpdateMismatchError: if a value in the response differs from the value that was sent.
        """
        record = yield from apply_change(self.kind, self.record_id, self.change, self.request)
        return Applied(unverified=verify(self.change, record))

    def difference(self) -> Difference:
        """Return the names of the fields that change, and the metadata values before and after."""
        before, after = self.record.metadata or {}, self.change.metadata or {}
        return Difference(
            f"update {self.kind.name} {self.record_id}",
            self.changed,
            {key: before.get(key) for key in self.keys},
            {key: after.get(key) for key in self.keys},
        )


@dataclass(frozen=True)
class Plan:
    """The way to combine rows with records.

    :ivar kind: calls or chats.
    :ivar mode: how to combine a row's metadata with the record's metadata.
    :ivar remove: metadata keys to delete.
    """

    kind: Kind[Any]
    mode: MetadataMode = "merge"
    remove: frozenset[str] = frozenset()

    def plan_row(
        self, row: int, record_id: str, record: RecordState | None, wanted: Change
    ) -> PlannedUpdate | Result:
        """Compare *record*, or None if Retell has none, with the change that its row asks for."""
        name = self.kind.name
        if record is None:
            reason = f"the API key's organization has no such {name}"
            return Result(row, record_id, "not_found", reason, kind=name)
        if wanted.needs_end and not record.has_ended:
            return Result(row, record_id, "not_ended", f"the {name} is {record.status}", kind=name)
        try:
            change, keys = diff(record, wanted, self.mode, self.remove)
            if not change:
                return Result(row, record_id, "unchanged", kind=name)
            _check_attributes(change)
            request = change.request(record_id, self.kind.state)
        except (RetellInputError, StorageConflictError) as error:
            return Result.of_error(row, record_id, error, name)
        return PlannedUpdate(row, self.kind, record, change, request, change.names(keys), keys)


def _check_attributes(change: Change) -> None:
    # The request checks this too, but its message does not know the task's options.
    for name, value in (change.custom_attributes or {}).items():
        if value is None:
            raise RetellInputError(
                f"custom_attributes.{safe_name(name)} must not be null. Set nulls='skip' or nulls='remove' on the task "
                "to keep the attribute as it is"
            )
