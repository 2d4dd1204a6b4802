"""Checks that place a batch of one call. It costs money, and a person's phone rings."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.endpoints import create_batch_call, list_calls
from airflow_provider_retell.contract.calls.placing import (
    FROM_NUMBER,
    MAY_BE_LIVE,
    TO_NUMBER,
    hang_up,
    marked,
)
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.creation import Creation
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.records import KEY, TRIES
from airflow_provider_retell.contract.seeing import ask, describe, fields_of, is_success

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

PLACE_BATCH = Flag(
    "--place-batch", "call --to-number once more, as a batch of one call; Retell bills the call"
)

_BATCH = (PLACE_BATCH, FROM_NUMBER, TO_NUMBER)


@dataclasses.dataclass
class _Batch:
    """A batch of one call that was placed.

    :ivar mark: the value of :data:`KEY` in the metadata of the call.
    :ivar response: the response to the request that placed it, or None before it has arrived.
    """

    mark: str
    response: Response | None = None

    @property
    def batch_id(self) -> str | None:
        """The id of the batch, or None if it is not known."""
        batch_id = fields_of(self.response).get("batch_call_id") if self.response else None
        return batch_id if isinstance(batch_id, str) else None

    def calls(self) -> Flow[list[str]]:
        """Return the ids of the calls of the batch."""
        found: list[str] = yield from marked(self.mark)
        if not found and self.batch_id is not None:
            found = yield from marked(self.mark, **_of_batch(self.batch_id))
        return found


def _place(target: Target) -> Flow[tuple[_Batch, Response]]:
    """Place a batch of one call, which is stopped after the last check."""
    batch = _Batch(secrets.token_hex(8))
    # No response has the id of the call.
    created = Creation("call_id", batch.calls, hang_up)
    target.clean_up(created.undo_all, f"the call of a batch to --to-number {MAY_BE_LIVE}")
    request = create_batch_call(
        target.values(FROM_NUMBER)[0],
        [{"to_number": target.values(TO_NUMBER)[0], "metadata": {KEY: batch.mark}}],
    )
    batch.response = yield from created.send(request)
    return batch, batch.response


@CHECKS.add(
    "calls.batch_returns_id",
    assumption="create-batch-call returns batch_call_id and total_task_count.",
    matters="CreateBatchCallOperator returns both, and BatchCallSensor needs both.",
    source=page("create-batch-call"),
    otherwise="Without the id, the task fails although the phones ring. Without the count, the operator counts.",
    flags=_BATCH,
)
def batch_returns_id(target: Target) -> Flow[Finding]:
    """Place a batch."""
    batch, response = yield from target.once(_place)
    if not is_success(response):
        raise CannotTellError(f"create-batch-call: {describe(response)}")
    if batch.batch_id is None:
        return differs(f"{response.status} without batch_call_id")
    if fields_of(response).get("total_task_count") != 1:
        return differs(f"{response.status} with another total_task_count", handled=True)
    return holds(f"{response.status} with both")


@CHECKS.add(
    "calls.batch_is_listed",
    assumption="A filter on batch_call_id returns the calls of a batch.",
    matters="BatchCallSensor counts them.",
    source=page("list-calls"),
    otherwise="The sensor waits until its timeout.",
    flags=_BATCH,
)
def batch_is_listed(target: Target) -> Flow[Finding]:
    """List the calls of the batch."""
    batch, _ = yield from target.once(_place)
    if batch.batch_id is None:
        raise CannotTellError("there is no batch")
    others = yield from ask(list_calls(filter_criteria=_of_batch(f"{batch.batch_id}0"), limit=1))
    if others.items:
        return differs("calls of an unknown batch")
    for number in range(1, TRIES + 1):
        found = yield from ask(list_calls(filter_criteria=_of_batch(batch.batch_id), limit=1))
        if found.items:
            return holds(f"after {number} requests")
    raise CannotTellError(f"no call in {TRIES} requests")


def _of_batch(batch_id: str) -> dict[str, Any]:
    return {"batch_call_id": {"type": "string", "op": "eq", "value": batch_id}}
