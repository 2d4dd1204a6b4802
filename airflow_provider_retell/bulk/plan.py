"""Plan a row: an update of its call, or the row's result without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.changes import Change, diff, verify
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.calls.update import apply_change
from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.api.errors import RetellInputError, StorageConflictError
from airflow_provider_retell.bulk.columns import Columns
from airflow_provider_retell.bulk.outcome import Result

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request


@dataclass(frozen=True)
class PlannedUpdate:
    """The update that a row requires.

    :ivar row: the number of the row.
    :ivar call: the call before the update.
    :ivar change: the values to send.
    :ivar request: the request that sends them.
    :ivar changed: the names of the fields that change.
    :ivar keys: the names of the metadata keys among them.
    """

    row: int
    call: CallState
    change: Change
    request: Request[CallState]
    changed: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def call_id(self) -> str:
        """The id of the call."""
        return self.call.call_id

    def apply(self) -> Flow[tuple[str, ...]]:
        """Send the update and return the names of the fields that the response does not confirm.

        :raises UpdateMismatchError: if a value in the response differs from the value that was sent.
        """
        call = yield from apply_change(self.call_id, self.change, self.request)
        return verify(self.change, call)

    def difference(self) -> Difference:
        """Return the names of the fields that change, and the metadata values before and after."""
        before, after = self.call.metadata or {}, self.change.metadata or {}
        return Difference(
            self.call_id,
            self.changed,
            {key: before.get(key) for key in self.keys},
            {key: after.get(key) for key in self.keys},
        )


@dataclass(frozen=True)
class Difference:
    """A change that a dry run found: the names of the fields, and the values of the metadata keys before and after."""

    call_id: str
    changed: tuple[str, ...]
    before: dict[str, Any] = field(repr=False)
    after: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """The task of a run.

    :ivar columns: the meaning of the rows' columns.
    :ivar mode: how to combine a row's metadata with the call's metadata.
    :ivar remove: metadata keys to delete.
    :ivar dry_run: True to send no updates.
    """

    columns: Columns
    mode: MetadataMode = "merge"
    remove: frozenset[str] = frozenset()
    dry_run: bool = False

    def plan_row(
        self, row: int, call_id: str, call: CallState | None, wanted: Change
    ) -> PlannedUpdate | Result:
        """Compare *call*, or None if there is no such call, with the change that its row asks for."""
        if call is None:
            return Result(row, call_id, "not_found", "the API key's organization has no such call")
        if not call.has_ended:
            return Result(row, call_id, "not_ended", f"the call is {call.call_status}")
        try:
            change, keys = diff(call, wanted, self.mode, self.remove)
            if not change:
                return Result(row, call_id, "unchanged")
            request = change.request(call_id).with_parser(CallState.read)
        except (RetellInputError, StorageConflictError) as error:
            return Result.of_error(row, call_id, error)
        return PlannedUpdate(row, call, change, request, change.names(keys), keys)
