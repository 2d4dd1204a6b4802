"""Checks that place a batch of one call. It costs money, and a person's phone rings."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.endpoints import create_batch_call, list_calls
from airflow_provider_retell.contract.calls.placing import FROM_NUMBER, TO_NUMBER, hang_up
from airflow_provider_retell.contract.check import (
    CannotTellError,
    Checks,
    Finding,
    Flag,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.records import KEY, TRIES
from airflow_provider_retell.contract.seeing import ask, describe, fields_of, is_success, see

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import CallPage
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
    :ivar response: the response to the request that placed it.
    :ivar call_id: the call, as soon as it was listed.
    """

    mark: str
    response: Response
    call_id: str | None = None

    @property
    def batch_id(self) -> Any:
        """The id of the batch, or something else if the response has none."""
        return fields_of(self.response).get("batch_call_id")


def _batch(target: Target) -> Flow[_Batch]:
    """Place a batch of one call, which is stopped after the last check."""
    mark = secrets.token_hex(8)
    request = create_batch_call(
        target.values(FROM_NUMBER)[0],
        [{"to_number": target.values(TO_NUMBER)[0], "metadata": {KEY: mark}}],
    )
    batch = _Batch(mark, (yield from see(request)))
    if is_success(batch.response) and isinstance(batch.batch_id, str):
        target.clean_up(
            lambda: _hang_up_batch(batch),
            "the call of the batch could not be stopped: look for it in Retell's dashboard",
        )
    return batch


def _is_listed(batch: _Batch) -> Flow[bool]:
    """List the calls of the batch; return True if there are any."""
    found: CallPage = yield from ask(list_calls(filter_criteria=_of_batch(batch.batch_id), limit=1))
    for call in found.items:
        # A server that ignores the filter lists the calls of others.
        if (call.metadata or {}).get(KEY) == batch.mark:
            batch.call_id = call.call_id
    return bool(found.items)


def _hang_up_batch(batch: _Batch) -> Flow[bool]:
    """Stop the call of a batch; return False if it is not listed."""
    if batch.call_id is None:
        yield from _is_listed(batch)
    if batch.call_id is not None:
        yield from hang_up(batch.call_id)
    return batch.call_id is not None


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
    batch = yield from target.once(_batch)
    response = batch.response
    if not is_success(response):
        raise CannotTellError(f"create-batch-call: {describe(response)}")
    if not isinstance(batch.batch_id, str):
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
    batch = yield from target.once(_batch)
    if not isinstance(batch.batch_id, str):
        raise CannotTellError("there is no batch")
    others = yield from ask(list_calls(filter_criteria=_of_batch(f"{batch.batch_id}0"), limit=1))
    if others.items:
        return differs("calls of an unknown batch")
    for number in range(1, TRIES + 1):
        if (yield from _is_listed(batch)):
            return holds(f"after {number} requests")
    raise CannotTellError(f"no call in {TRIES} requests")


def _of_batch(batch_id: str) -> dict[str, Any]:
    return {"batch_call_id": {"type": "string", "op": "eq", "value": batch_id}}
