"""The calls of one approval, each number called at most once."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from airflow_provider_retell._compat import task_state_store
from airflow_provider_retell.operators.task_try import CALL_KEY_METADATA, TaskTry, find_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.operators.placing import PlacingOperator

log = logging.getLogger(__name__)

NUMBER_KEY_METADATA = "airflow_number_key"
"""The metadata key under which a call carries a digest of its task and the number called.

Retell may return a number in another form than it was given, or not at all.
"""


class ApprovalCalls:
    """The calls that the tries of a task run have placed.

    All calls carry the key of the task in their metadata, and the task's state store has their ids. A later try finds
    them by either. The idempotency key differs for each number.

    :param task: the operator.
    :param context: the context of the try.
    :param ids: the ids of the calls, if the task continues after a deferred wait. Default: search for the calls of
        earlier tries.
    :ivar ids: the ids of the calls, oldest first.
    """

    def __init__(self, task: PlacingOperator, context: Context, ids: Sequence[str] | None = None) -> None:
        self._task = task
        self._context = context
        self._try = TaskTry.of(context, task)
        self._calls: list[Call] | None = None
        if ids is None:
            self._calls = self._earlier()
            ids = [call.call_id for call in self._calls]
            if ids:
                log.info("Calls of earlier tries: %d", len(ids))
                self._record(ids)
        self.ids = list(ids)

    def went_to(self, number: str) -> bool:
        """Return True if one of the calls went to *number*."""
        if self._calls is None:
            self._calls = [self._task.stored_call(call_id) for call_id in self.ids]
        number_key = self._number_key(number)
        return any(
            number == call.to_number or (call.metadata or {}).get(NUMBER_KEY_METADATA) == number_key
            for call in self._calls
        )

    def place(self, number: str) -> str:
        """Call *number* and return the call's id. No call may have gone to it before."""
        number_key = self._number_key(number)
        marks = {CALL_KEY_METADATA: self._try.key, NUMBER_KEY_METADATA: number_key}
        call = self._task.place(self._context, number, marks, number_key)
        if self._calls is not None:
            self._calls.append(call)
        self.ids.append(call.call_id)
        self._record(self.ids)
        return call.call_id

    def _number_key(self, number: str) -> str:
        return "airflow-" + hashlib.sha256(f"{self._try.key}\0{number}".encode()).hexdigest()[:40]

    def _earlier(self) -> list[Call]:
        store = task_state_store(self._context)
        stored = (store.get(self._try.key) if store else None) or []
        if not stored and self._try.is_first and not self._try.rescheduled:
            return []
        # A call may have been placed that the store does not have.
        listed = {call.call_id: call for call in find_calls(self._task.hook, self._try.key)}
        calls = [
            listed.pop(call_id) if call_id in listed else self._task.stored_call(call_id)
            for call_id in stored
        ]
        return [*calls, *listed.values()]

    def _record(self, ids: Sequence[str]) -> None:
        if store := task_state_store(self._context):
            store.set(self._try.key, list(ids))
