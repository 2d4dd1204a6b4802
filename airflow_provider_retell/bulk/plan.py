"""Plan a row: an update of its call, or the row's result without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.changes import Change, diff, verify
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.calls.update import apply_change
from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.api.errors import RetellInputError, StorageConflictError
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request


@dataclass(frozen=True)
class PlannedUpdate(Planned):
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
    def record_id(self) -> str:
        """The id of the call."""
        return self.call.call_id

    def apply(self) -> Flow[Applied]:
        """Send the update and verify the response.

        :raises UpdateMismatchError: if a value in the response differs from the value that was sent.
        """
        call = yield from apply_change(self.record_id, self.change, self.request)
        return Applied(unverified=verify(self.change, call))

    def difference(self) -> Difference:
        """Return the names of the fields that change, and the metadata values before and after."""
        before, after = self.call.metadata or {}, self.change.metadata or {}
        return Difference(
            f"update call {self.record_id}",
            self.changed,
            {key: before.get(key) for key in self.keys},
            {key: after.get(key) for key in self.keys},
        )


@dataclass(frozen=True)
class Plan:
    """The way to combine rows with calls.

    :ivar mode: how to combine a row's metadata with the call's metadata.
    :ivar remove: metadata keys to delete.
    """

    mode: MetadataMode = "merge"
    remove: frozenset[str] = frozenset()

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
