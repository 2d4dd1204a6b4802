"""Conditions on a call, and on the calls of a batch."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import ENDED_STATUSES, CallPage, CallSummary
from airflow_provider_retell.api.choices import Until
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.request import Flow, check_id
from airflow_provider_retell.api.waits import Condition, Poll


@dataclass(frozen=True)
class CallReached(Condition):
    """A call has ended, or has an analysis. An unknown status does not count as an end."""

    call_id: str
    until: Until = "ended"

    def __str__(self) -> str:
        return f"call {self.call_id} to be {self.until}"

    def poll(self) -> Flow[Poll]:
        """Read the call without its transcript, because parsing a long one would block a triggerer's event loop."""
        call: CallSummary = yield endpoints.get_call(self.call_id).with_parser(CallSummary.read)
        return Poll(call.has_reached(self.until), call.call_status, call.slim())


@dataclass(frozen=True)
class BatchEnded(Condition):
    """All calls of a batch have ended, answered or not. Retell returns no ids of these calls, but can list them."""

    batch_call_id: str
    total: int

    def __str__(self) -> str:
        return f"the {self.total} calls of batch {self.batch_call_id} to end"

    def poll(self) -> Flow[Poll]:
        """Count the calls that have ended."""
        criteria = {
            "batch_call_id": {
                "type": "string",
                "op": "eq",
                "value": check_id(self.batch_call_id, "batch_call_id"),
            },
            "call_status": {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)},
        }
        page: CallPage = yield endpoints.list_calls(filter_criteria=criteria, limit=1, include_total=True)
        ended = page.total
        if ended is None:
            pages, ended = Pages(endpoints.list_calls, filter_criteria=criteria, limit=1000), 0
            for request in pages:
                page = yield request
                ended += len(pages.read(page))
        return Poll(
            ended >= self.total,
            f"{ended} of {self.total} calls ended",
            {"batch_call_id": self.batch_call_id, "ended": ended},
        )
