"""Calls or chats, as the resource of a bulk update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.records.models import RecordState
from airflow_provider_retell.bulk.records.columns import Columns, RowReader
from airflow_provider_retell.bulk.records.row_plan import Plan
from airflow_provider_retell.bulk.records.states import RecordStates
from airflow_provider_retell.bulk.resource import Planned, Resource

if TYPE_CHECKING:
    from airflow_provider_retell.api.errors import RetellError
    from airflow_provider_retell.bulk.outcome import Result
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook


class RecordUpdates(Resource[RecordState, Change]):
    """Updates of calls or chats. The plan has the kind of record."""

    def __init__(self, hook: RetellAsyncHook, columns: Columns, plan: Plan) -> None:
        self.kind = plan.kind.name
        self.key_name = f"{self.kind} id"
        self._reader = RowReader(columns, plan.kind.change)
        self.named_columns = self._reader.named_columns
        self._states = RecordStates(hook, plan.kind)
        self._plan = plan

    def read_row(self, row: Row) -> tuple[str, Change]:
        """Return the record's id and the change that *row* asks for."""
        return self._reader.read(row)

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, RecordState | RetellError | None]:
        """Return the state of each record, as far as it can be read."""
        return await self._states.read(keys)

    def plan_row(self, row: int, key: str, state: RecordState | None, wanted: Change) -> Planned | Result:
        """Compare the record with the change that its row asks for."""
        return self._plan.plan_row(row, key, state, wanted)
