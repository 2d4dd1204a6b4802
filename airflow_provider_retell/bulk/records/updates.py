"""Calls or chats, as the resource of a bulk update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.api.errors import RetellError, RetellInputError, StorageConflictError
from airflow_provider_retell.api.records.changes import Change, diff, verify
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.api.records.models import RecordState
from airflow_provider_retell.api.records.update import apply_change
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.records.columns import Columns, RowReader
from airflow_provider_retell.bulk.records.states import RecordStates
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned, Resource

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook


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


class RecordUpdates(Resource[RecordState, Change]):
    """Updates of calls or chats.

    :param kind: calls or chats.
    :param mode: how to combine a row's metadata with the record's metadata.
    :param remove: metadata keys to delete.
    """

    def __init__(
        self,
        hook: RetellAsyncHook,
        columns: Columns,
        kind: Kind[Any],
        mode: MetadataMode = "merge",
        remove: frozenset[str] = frozenset(),
    ) -> None:
        self.kind = kind.name
        self.key_name = f"{kind.name} id"
        self._kind = kind
        self._mode = mode
        self._remove = remove
        self._reader = RowReader(columns, kind.change)
        self.named_columns = self._reader.named_columns
        self._states = RecordStates(hook, kind)

    def read_row(self, row: Row) -> tuple[str, Change]:
        """Return the record's id and the change that *row* asks for."""
        return self._reader.read(row)

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, RecordState | RetellError | None]:
        """Return the state of each record, as far as it can be read."""
        return await self._states.read(keys)

    def plan_row(
        self, row: int, key: str, state: RecordState | None, wanted: Change
    ) -> PlannedUpdate | Result:
        """Compare the record with the change that its row asks for."""
        name = self.kind
        if state is None:
            reason = f"the API key's organization has no such {name}"
            return Result(row, key, "not_found", reason, kind=name)
        if wanted.needs_end and not state.has_ended:
            return Result(row, key, "not_ended", f"the {name} is {state.status}", kind=name)
        try:
            change, keys = diff(state, wanted, self._mode, self._remove)
            if not change:
                return Result(row, key, "unchanged", kind=name)
            _check_attributes(change)
            request = change.request(key, self._kind.state)
        except (RetellInputError, StorageConflictError) as error:
            return Result.of_error(row, key, error, name)
        return PlannedUpdate(row, self._kind, state, change, request, change.names(keys), keys)


def _check_attributes(change: Change) -> None:
    # The request checks this too, but its message does not know the task's options.
    for name, value in (change.custom_attributes or {}).items():
        if value is None:
            raise RetellInputError(
                f"custom_attributes.{safe_name(name)} must not be null. Set nulls='skip' or nulls='remove' on the task "
                "to keep the attribute as it is"
            )
