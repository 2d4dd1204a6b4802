"""Checks of list-calls: pages, order and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.endpoints import list_calls
from airflow_provider_retell.api.calls.fields import TRANSCRIPTS
from airflow_provider_retell.api.calls.models import ENDED_STATUSES
from airflow_provider_retell.contract.calls.common import by_ids, ids, items, sample
from airflow_provider_retell.contract.check import (
    NOT_DOCUMENTED,
    CannotTellError,
    Checks,
    Finding,
    SkipError,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.records import accepted_ids, check_found, check_list_form
from airflow_provider_retell.contract.seeing import body_of, describe, is_success, see
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_LIST = page("list-calls")
_PAGE = 1000


def _listed(**criteria: Any) -> Flow[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """List calls; return the body and its items."""
    response = yield from see(list_calls(**criteria))
    body = body_of(response)
    found = items(body) if is_success(response) else None
    if found is None:
        raise CannotTellError(f"list-calls: {describe(response)}")
    return body, found


@CHECKS.add(
    "calls.list_has_documented_form",
    assumption="list-calls returns `items`, `has_more` and calls with the documented types.",
    matters="Bulk updates, exports, CallEventTrigger and BatchCallSensor list calls.",
    source=_LIST,
    otherwise="The task fails and names the field. If one call is malformed, a bulk update fails its row, and an "
    "export writes it as received.",
)
def list_has_documented_form(_target: Target) -> Flow[Finding]:
    """List calls without criteria."""
    return (yield from check_list_form("call", list_calls(limit=50)))


@CHECKS.add(
    "calls.list_leaves_out_transcripts",
    assumption="list-calls leaves out transcripts.",
    matters="Exports contain transcripts only with `whole_calls=True`.",
    source=_LIST,
    otherwise="Exports contain transcripts unless `fields` leaves them out.",
)
def list_leaves_out_transcripts(target: Target) -> Flow[Finding]:
    """Look for transcripts in the newest calls that have ended."""
    calls = yield from sample(target)
    shown = sorted(TRANSCRIPTS & set().union(*calls))
    return differs(", ".join(shown)) if shown else holds("no transcript")


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
        _, found = yield from _listed(sort_order=order, limit=50)
        starts = [call["start_timestamp"] for call in found if isinstance(call.get("start_timestamp"), int)]
        counted = max(counted, len(starts))
        if starts != sorted(starts, reverse=order == "descending"):
            return differs(f"{order} is not sorted")
    if counted < 2:
        raise SkipError("the organization has fewer than two calls that started")
    return holds("both orders")


@CHECKS.add(
    "calls.list_pages",
    assumption="`pagination_key` continues after the last call of a page, and the last page has `has_more: false`.",
    matters="Exports and bulk updates read all pages.",
    source=_LIST,
    otherwise="The task fails at the page whose key is missing or repeated, so that no call is lost silently.",
)
def list_pages(target: Target) -> Flow[Finding]:
    """Read up to three calls one by one."""
    wanted = ids((yield from sample(target)))[:3]
    if len(wanted) < 2:
        raise SkipError("the organization has fewer than two calls that have ended")
    body, found = yield from _listed(filter_criteria=by_ids(wanted), limit=1)
    seen = ids(found)
    for number in range(1, len(wanted)):
        if body.get("has_more") is not True or not isinstance(body.get("pagination_key"), str):
            return differs(f"page {number} of {len(wanted)} has no next page")
        key = body["pagination_key"]
        body, found = yield from _listed(filter_criteria=by_ids(wanted), limit=1, pagination_key=key)
        seen += ids(found)
    if sorted(seen) != sorted(wanted):
        return differs("pages repeat or lack calls")
    if body.get("has_more"):
        return differs("the last page promises more")
    return holds(f"{len(wanted)} pages" + (", the last one with a key" if body.get("pagination_key") else ""))


@CHECKS.add(
    "calls.list_by_ids",
    assumption="A filter with ids returns all of these calls that exist.",
    matters="Bulk updates read the calls of 1,000 rows with one request.",
    source=_LIST,
    question="Does a list response contain every requested call?",
    otherwise="The package reads missing calls one by one, until twenty of them do not exist.",
)
def list_by_ids(target: Target) -> Flow[Finding]:
    """List the newest calls by their ids."""
    wanted = ids((yield from sample(target)))
    _, found = yield from _listed(filter_criteria=by_ids(wanted), limit=_PAGE)
    return check_found("call", wanted, ids(found))


@CHECKS.add(
    "calls.ids_per_filter",
    assumption=f"A filter can contain {_PAGE:,} ids.",
    matters="Bulk updates read the calls of 1,000 rows with one request.",
    source=NOT_DOCUMENTED,
    question="How many ids can one list request contain?",
    otherwise="The package halves a list that Retell rejects, down to single calls.",
    options=("max_ids_per_filter",),
)
def ids_per_filter(target: Target) -> Flow[Finding]:
    """List by as many ids as possible. Most of them do not exist."""
    wanted = ids((yield from sample(target))) + [f"call_{number:032x}" for number in range(_PAGE)]
    accepted, other = yield from accepted_ids(
        lambda count: list_calls(filter_criteria=by_ids(wanted[:count]), limit=_PAGE), _PAGE
    )
    if other is not None:
        return differs(f"{accepted} ids: {describe(other)}")
    if accepted == _PAGE:
        return holds(f"{_PAGE} ids", max_ids_per_filter=None)
    return differs(f"{accepted} ids", handled=True, max_ids_per_filter=accepted)


@CHECKS.add(
    "calls.list_by_end",
    assumption="A filter on end_timestamp returns the calls that ended at or after that time.",
    matters="CallEventTrigger polls with this filter.",
    source=_LIST,
    otherwise="The trigger misses calls, or reads more than it needs.",
)
def list_by_end(target: Target) -> Flow[Finding]:
    """List from the end of a known call on."""
    calls = [call for call in (yield from sample(target)) if isinstance(call.get("end_timestamp"), int)]
    call = one(calls, "no call has end_timestamp")
    since = call["end_timestamp"]
    criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": since}}
    _, found = yield from _listed(filter_criteria=criteria, limit=_PAGE)
    if any(not isinstance(item.get("end_timestamp"), int) or item["end_timestamp"] < since for item in found):
        return differs("earlier calls too")
    if call["call_id"] not in ids(found):
        return differs("the call that ended then is missing")
    return holds("that call, and none before it")


@CHECKS.add(
    "calls.list_by_status",
    assumption="A filter on call_status returns the calls with these statuses, and `include_total` counts them.",
    matters="BatchCallSensor counts the ended calls of a batch.",
    source=_LIST,
    otherwise="Without a total, the sensor reads and counts all pages.",
)
def list_by_status(target: Target) -> Flow[Finding]:
    """Count known calls by their status."""
    wanted = ids((yield from sample(target)))
    ended = {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)}
    criteria = {**by_ids(wanted), "call_status": ended}
    body, found = yield from _listed(filter_criteria=criteria, limit=1, include_total=True)
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
    calls = yield from sample(target)
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
        criteria = {**by_ids([call_id]), "metadata": [leaf]}
        _, found = yield from _listed(filter_criteria=criteria, limit=1)
        if ids(found) != expected:
            return differs("the call is missing" if expected else "calls with other text")
    return holds("that call only")
