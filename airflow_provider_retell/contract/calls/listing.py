"""Checks of list-calls: pages, order and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.models import ENDED_STATUSES
from airflow_provider_retell.contract.calls.common import CALLS, LISTS
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds
from airflow_provider_retell.contract.list_checks import PAGE
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_LIST = page("list-calls")

CHECKS.add(
    "calls.list_has_documented_form",
    assumption="list-calls returns `items`, `has_more` and calls with the documented types.",
    matters="Bulk updates, exports, CallEventTrigger and BatchCallSensor list calls.",
    source=_LIST,
    otherwise="The task fails and names the field. If one call is malformed, a bulk update fails its row, and an "
    "export writes it as received.",
)(LISTS.form)

CHECKS.add(
    "calls.list_leaves_out_transcripts",
    assumption="list-calls leaves out transcripts.",
    matters="Exports contain transcripts only with `whole_calls=True`.",
    source=_LIST,
    otherwise="Exports contain transcripts unless `fields` leaves them out.",
)(LISTS.transcripts)


@CHECKS.add(
    "calls.list_sorts_by_start",
    assumption="Lists are sorted by start_timestamp.",
    matters="Exports start with the oldest call.",
    source=_LIST,
    otherwise="Exports have another order.",
)
def list_sorts_by_start(_target: Target) -> Flow[Finding]:
    """List calls in both orders."""
    counted = 0
    for order in ("ascending", "descending"):
        _, found = yield from CALLS.listed(sort_order=order, limit=50)
        starts = [call["start_timestamp"] for call in found if isinstance(call.get("start_timestamp"), int)]
        counted = max(counted, len(starts))
        if starts != sorted(starts, reverse=order == "descending"):
            return differs(f"{order} is not sorted")
    if counted < 2:
        raise SkipError("the organization has fewer than two calls that started")
    return holds("both orders")


CHECKS.add(
    "calls.list_pages",
    assumption="`pagination_key` continues after the last call of a page, and the last page has `has_more: false`.",
    matters="Exports and bulk updates read all pages.",
    source=_LIST,
    otherwise="The task fails at the page whose key is missing or repeated, so that no call is lost silently.",
)(LISTS.pages)

CHECKS.add(
    "calls.list_by_ids",
    assumption="A filter with ids returns all of these calls that exist.",
    matters="Bulk updates read the calls of 1,000 rows with one request.",
    source=_LIST,
    question="Does a list response contain every requested call?",
    otherwise="The package reads missing calls one by one, until twenty of them do not exist.",
)(LISTS.by_ids)

CHECKS.add(
    "calls.ids_per_filter",
    assumption=f"A filter can contain {PAGE:,} ids.",
    matters="Bulk updates read the calls of 1,000 rows with one request.",
    source=NOT_DOCUMENTED,
    question="How many ids can one list request contain?",
    otherwise="The package halves a list that Retell rejects, down to single calls.",
    options=("max_ids_per_filter",),
)(LISTS.ids_per_filter)

CHECKS.add(
    "calls.list_by_end",
    assumption="A filter on end_timestamp returns the calls that ended at or after that time.",
    matters="CallEventTrigger polls with this filter.",
    source=_LIST,
    otherwise="The trigger misses calls, or reads more than it needs.",
)(LISTS.by_end)


@CHECKS.add(
    "calls.list_by_status",
    assumption="A filter on call_status returns the calls with these statuses, and `include_total` counts them.",
    matters="BatchCallSensor counts the ended calls of a batch.",
    source=_LIST,
    otherwise="Without a total, the sensor reads and counts all pages.",
)
def list_by_status(target: Target) -> Flow[Finding]:
    """Count known calls by their status."""
    wanted = CALLS.ids((yield from CALLS.sample(target)))
    ended = {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)}
    criteria = {**CALLS.by_ids(wanted), "call_status": ended}
    body, found = yield from CALLS.listed(filter_criteria=criteria, limit=1, include_total=True)
    if any(str(call.get("call_status")) not in ENDED_STATUSES for call in found):
        return differs("other statuses too")
    total = body.get("total")
    if total is None:
        return differs("no total", handled=True)
    return holds("the right total") if total == len(wanted) else differs("another total")


@CHECKS.add(
    "calls.list_by_metadata",
    assumption="A filter on a metadata key returns exactly the calls with the given text.",
    matters="Before a second attempt, CreatePhoneCallOperator searches for its call by metadata.",
    source=_LIST,
    otherwise="A second attempt after more than an hour can place a second call.",
)
def list_by_metadata(target: Target) -> Flow[Finding]:
    """Search for a known call by its metadata, and for one that does not exist."""
    calls = yield from CALLS.sample(target)
    call_id, key, text = one(
        [
            (call["call_id"], key, value)
            for call in calls
            if isinstance(call.get("metadata"), dict)
            for key, value in call["metadata"].items()
            if isinstance(value, str) and value
        ],
        "no call has text in its metadata",
    )
    for value, expected in ((text, [call_id]), (f"{text} contract check", [])):
        leaf = {"type": "string", "op": "eq", "value": value, "key": key}
        criteria = {**CALLS.by_ids([call_id]), "metadata": [leaf]}
        _, found = yield from CALLS.listed(filter_criteria=criteria, limit=1)
        if CALLS.ids(found) != expected:
            return differs("the call is missing" if expected else "calls with other text")
    return holds("that call only")
