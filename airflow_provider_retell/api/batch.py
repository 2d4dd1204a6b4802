"""What can be known about a batch: Retell returns no ids of its calls, but lists them by the batch's id."""

from __future__ import annotations

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.models import ENDED_STATUSES, CallPage
from airflow_provider_retell.api.pages import CallPages
from airflow_provider_retell.api.request import Procedure, check_id


def ended_calls(batch_call_id: str) -> Procedure[int]:
    """Return how many calls of the batch have ended, whether anybody answered or not."""
    criteria = {
        "batch_call_id": {"type": "string", "op": "eq", "value": check_id(batch_call_id, "batch_call_id")},
        "call_status": {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)},
    }
    page: CallPage = yield endpoints.list_calls(filter_criteria=criteria, limit=1, include_total=True)
    if page.total is not None:
        return page.total
    pages, ended = CallPages(filter_criteria=criteria), 0
    for request in pages:
        page = yield request
        ended += len(pages.read(page))
    return ended
