"""The calls of one approval, each number called at most once."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat.task_context import task_state_store
from airflow_provider_retell.operators.same_request import REQUEST_DIGEST_METADATA, check_same
from airflow_provider_retell.operators.task_try import CALL_KEY_METADATA, TaskTry, find_calls

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.operators.placing import PlacingOperator

log = logging.getLogger(__name__)

NUMBER_KEY_METADATA = "airflow_number_key"
"""The metadata key under which a call carries a digest of its task and the number called.

Retell may return a number in another form than it was given, or not at all.
"""

QUESTION = "retell_llm_dynamic_variables, from_number or the agent"


class ApprovalCalls:
    """The calls that the tries of a task run have placed.

    The metadata of each call and the task's state store have the key of the task, and a later try finds the calls by
    either. Both also have a digest of the question, which is the same for all calls. The idempotency key differs for
    each number.

    :param question: the variables and the agent of the calls.
    :param state: continues with the calls of :meth:`state`. Default: search for the calls of earlier tries.
    :ivar ids: the ids of the calls, oldest first.
    :raises AirflowFailException: if a call has asked another question.
    """

    def __init__(
        self,
        task: PlacingOperator,
        context: Context,
        question: Mapping[str, Any],
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._task = task
        self._context = context
        self._try = TaskTry.of(context, task)
        self._question = task.private_digest(question, self._try.key)
        self._calls: list[Call] | None = None
        self._is_resumed = state is not None
        if state is not None:
            self.ids = list(state["call_ids"])
            self._check(self.ids[0], state["question"])
            return
        self._calls = self._earlier()
        self.ids = [call.call_id for call in self._calls]
        if self.ids:
            log.info("Calls of earlier tries: %d", len(self.ids))
            self._record(self.ids)

    def state(self) -> dict[str, Any]:
        """Return ids, and a digest of the question, to continue with after a deferred wait."""
        return {"call_ids": self.ids, "question": self._question}

    def since(self, position: int) -> Iterator[str]:
        """Yield the ids of the calls from *position* on, oldest first.

        After the calls of the state, search for others: the rest of a deferred task may run twice, and the first run
        may have placed calls. Retell knows their idempotency keys for an hour only.
        """
        yield from self.ids[position:]
        if not self._is_resumed:
            return
        known = set(self.ids)
        later = [call for call in self._earlier() if call.call_id not in known]
        self._calls = [*self._read(), *later]
        self.ids += [call.call_id for call in later]
        if later:
            log.info("Calls that an earlier run of this try has placed: %d", len(later))
            self._record(self.ids)
        yield from self.ids[len(known) :]

    def went_to_one_of(self, numbers: Sequence[str], call_id: str) -> bool:
        """Return True if a call went to one of *numbers*."""
        call = next(call for call in self._read() if call.call_id == call_id)
        return any(self._went_to(call, number) for number in numbers)

    def went_to(self, number: str) -> bool:
        """Return True if one of the calls went to *number*."""
        return any(self._went_to(call, number) for call in self._read())

    def place(self, number: str) -> str:
        """Call *number* and return the call's id. No call may have gone to it before."""
        number_key = self._number_key(number)
        marks = {
            CALL_KEY_METADATA: self._try.key,
            NUMBER_KEY_METADATA: number_key,
            REQUEST_DIGEST_METADATA: self._question,
        }
        call = self._task.place(self._context, number, marks, number_key)
        if self._calls is not None:
            self._calls.append(call)
        self.ids.append(call.call_id)
        self._record(self.ids)
        return call.call_id

    def _number_key(self, number: str) -> str:
        return "airflow-" + hashlib.sha256(f"{self._try.key}\0{number}".encode()).hexdigest()[:40]

    def _read(self) -> list[Call]:
        if self._calls is None:
            self._calls = [self._task.stored_call(call_id) for call_id in self.ids]
        return self._calls

    def _went_to(self, call: Call, number: str) -> bool:
        number_key = (call.metadata or {}).get(NUMBER_KEY_METADATA)
        return number == call.to_number or number_key == self._number_key(number)

    def _earlier(self) -> list[Call]:
        store = task_state_store(self._context)
        stored = (store.get(self._try.key) if store else None) or {"call_ids": [], "question": None}
        may_have_run = self._is_resumed or self._try.rescheduled or not self._try.is_first
        if not stored["call_ids"] and not may_have_run:
            return []
        # A call may have been placed that the store does not have.
        listed = {call.call_id: call for call in find_calls(self._task.hook, self._try.key)}
        calls = [
            listed.pop(call_id) if call_id in listed else self._task.stored_call(call_id)
            for call_id in stored["call_ids"]
        ]
        for call in calls:
            self._check(call.call_id, stored["question"])
        for call in listed.values():
            self._check(call.call_id, (call.metadata or {}).get(REQUEST_DIGEST_METADATA))
        return [*calls, *listed.values()]

    def _check(self, call_id: str, question: str | None) -> None:
        deed = f"placed call {call_id}"
        check_same(deed, {QUESTION: question}, {QUESTION: self._question})

    def _record(self, ids: Sequence[str]) -> None:
        if store := task_state_store(self._context):
            store.set(self._try.key, {"call_ids": list(ids), "question": self._question})
