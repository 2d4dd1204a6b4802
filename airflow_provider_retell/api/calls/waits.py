"""Conditions on a call, and on the calls of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import ENDED_STATUSES, CallSummary, CallSummaryPage
from airflow_provider_retell.api.choices import BatchUntil, Until
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.records.costs import CostTotal
from airflow_provider_retell.api.records.waits import RecordReached
from airflow_provider_retell.api.request import Flow, Request, check_id
from airflow_provider_retell.api.waits import Condition, Poll

_NOTHING_LISTED = (
    "Retell has listed no call of this batch yet. Check batch_call_id, and when the batch starts"
)


@dataclass(frozen=True)
class CallReached(RecordReached):
    """A call has ended, has an analysis, or its transfer has ended. An unknown status does not count as an end.

    :ivar analysis_fields: the fields of the analysis that the result contains.
    """

    call_id: str
    until: Until = "ended"
    analysis_fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.until == "transfer_ended":
            return f"call {self.call_id} and its transfer to end"
        return f"call {self.call_id} {'to end' if self.until == 'ended' else 'to be analyzed'}"

    def request(self) -> Request[CallSummary]:
        """Return the request that reads the call without its transcript."""
        return endpoints.get_call(self.call_id).with_parser(CallSummary.read)


@dataclass(frozen=True)
class BatchReached(Condition):
    """All calls of a batch have ended, answered or not, or have an analysis.

    A call that never connected needs no analysis. Retell returns no ids of the calls of a batch, but can list them.
    """

    batch_call_id: str
    total_task_count: int
    until: BatchUntil = "ended"

    def __str__(self) -> str:
        end = "to end" if self.until == "ended" else "to be analyzed"
        return f"the {self.total_task_count} calls of batch {self.batch_call_id} {end}"

    def poll(self) -> Flow[Poll]:
        """Count the ended calls, which is one request. List them if there are enough, one request per 1000 calls.

        If none has ended, one more request finds out whether any has begun.
        """
        of_batch = {
            "batch_call_id": {
                "type": "string",
                "op": "eq",
                "value": check_id(self.batch_call_id, "batch_call_id"),
            },
        }
        criteria = {
            **of_batch,
            "call_status": {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)},
        }
        page: CallSummaryPage = yield _list(filter_criteria=criteria, limit=1, include_total=True)
        result: dict[str, Any] = {"batch_call_id": self.batch_call_id}
        if page.total is not None and page.total < self.total_task_count:
            hint, state = "", f"{page.total} of {self.total_task_count} calls ended"
            if page.total == 0:
                begun: CallSummaryPage = yield _list(filter_criteria=of_batch, limit=1, include_total=True)
                hint = _NOTHING_LISTED if begun.total == 0 else ""
            return Poll(False, state, result | {"ended": page.total}, hint)
        pages, ended, reached, cost = Pages(_list, filter_criteria=criteria, limit=1000), 0, 0, CostTotal()
        for request in pages:
            page = yield request
            for call in pages.read(page, malformed=True):
                ended += 1
                reached += self._has_reached(call)
                cost.add(call.call_cost)
        counts = {"ended": ended} if self.until == "ended" else {"ended": ended, "analyzed": reached}
        return Poll(
            reached >= self.total_task_count,
            f"{reached} of {self.total_task_count} calls {self.until}",
            result | counts | cost.fields(),
        )

    def _has_reached(self, call: CallSummary) -> bool:
        return self.until == "ended" or call.is_analyzed or call.call_status == "not_connected"


def _list(**criteria: Any) -> Request[CallSummaryPage]:
    return endpoints.list_calls(**criteria).with_parser(CallSummaryPage.read)
