"""Calls, as the resource of a bulk update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.changes import Change
from airflow_provider_retell.api.calls.models import CallState, CallStatePage
from airflow_provider_retell.bulk.columns import Columns, RowReader
from airflow_provider_retell.bulk.plan import Plan
from airflow_provider_retell.bulk.record_states import Lookup, RecordStates
from airflow_provider_retell.bulk.resource import Planned, Resource

if TYPE_CHECKING:
    from airflow_provider_retell.api.errors import RetellError
    from airflow_provider_retell.bulk.outcome import Result
    from airflow_provider_retell.bulk.rows import Row
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

_LOOKUP = Lookup("call", endpoints.list_calls, endpoints.get_call, CallStatePage, CallState)


class CallUpdates(Resource[CallState, Change]):
    """Updates of calls that have ended.

    :param hook: an open hook.
    :param columns: the meaning of the rows' columns.
    :param plan: the way to combine rows with calls.
    :param fixed_columns: True if all rows of the source have the same columns.
    """

    kind = "call"
    key_name = "call id"

    def __init__(
        self, hook: RetellAsyncHook, columns: Columns, plan: Plan, *, fixed_columns: bool = False
    ) -> None:
        self._reader = RowReader(columns, fixed_columns)
        self._states = RecordStates(hook, _LOOKUP)
        self._plan = plan

    @property
    def missing_columns(self) -> list[str]:
        """The columns that the task names and no row had so far; empty until a row could be read."""
        return self._reader.missing_columns

    def read_row(self, row: Row) -> tuple[str, Change]:
        """Return the call's id and the change that *row* asks for."""
        return self._reader.read(row)

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, CallState | RetellError | None]:
        """Return the state of each call, as far as it can be read."""
        return await self._states.read(keys)

    def plan_row(self, row: int, key: str, state: CallState | None, wanted: Change) -> Planned | Result:
        """Compare the call with the change that its row asks for."""
        return self._plan.plan_row(row, key, state, wanted)
