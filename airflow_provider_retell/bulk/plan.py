"""What is to become of one row: nothing, a change that must be sent, or a verdict against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.changes import Change, diff
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.api.errors import RetellInputError, StorageConflictError
from airflow_provider_retell.bulk.columns import Columns
from airflow_provider_retell.bulk.outcome import Result

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Request


@dataclass(frozen=True)
class Todo:
    """A row whose call must change, from the state that it is in.

    :ivar changed: names of what changes.
    :ivar keys: those of the metadata.
    """

    row: int
    call: CallState
    change: Change
    request: Request[CallState]
    changed: tuple[str, ...]
    keys: tuple[str, ...]

    def difference(self) -> Difference:
        """Return what changes, with the values before and after."""
        before, after = self.call.metadata or {}, self.change.metadata or {}
        return Difference(
            self.call.call_id,
            self.changed,
            {key: before.get(key) for key in self.keys},
            {key: after.get(key) for key in self.keys},
        )


@dataclass(frozen=True)
class Difference:
    """What a dry run found: the call, what would change, and per metadata key its value before and after."""

    call_id: str
    changed: tuple[str, ...]
    before: dict[str, Any] = field(repr=False)
    after: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Plan:
    """What a run is to do.

    :ivar mode: how new metadata meets what a call has.
    :ivar remove: metadata keys to take away.
    :ivar dry_run: True to stop before anything is changed.
    """

    columns: Columns
    mode: MetadataMode = "merge"
    remove: frozenset[str] = frozenset()
    dry_run: bool = False

    def judge(self, row: int, call_id: str, call: CallState | None, wanted: Change) -> Todo | Result:
        """Compare *call* with what its row asks for."""
        if call is None:
            return Result(row, call_id, "not_found", "no such call under this API key")
        if not call.has_ended:
            return Result(row, call_id, "not_ended", f"the call is {call.call_status}")
        try:
            change, keys = diff(call, wanted, self.mode, self.remove)
            if not change:
                return Result(row, call_id, "unchanged")
            request = change.request(call_id).with_parser(CallState.read)
        except (RetellInputError, StorageConflictError) as error:
            return Result.of_error(row, call_id, error)
        return Todo(row, call, change, request, change.names(keys), keys)
