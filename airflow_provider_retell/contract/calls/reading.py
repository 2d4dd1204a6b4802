"""Checks of call objects, as get-call and list-calls return them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.calls.endpoints import get_call
from airflow_provider_retell.api.calls.fields import DECLARED
from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.contract.calls.common import CALLS, UNKNOWN_ID, sample
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.records import check_ends, check_timestamps
from airflow_provider_retell.contract.seeing import body_of, describe, is_success, see, unknown

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_STATUSES = frozenset({"registered", "not_connected", "ongoing", "ended", "error"})


@CHECKS.add(
    "calls.unknown_id",
    assumption="get-call rejects an unknown id with 422.",
    matters="Bulk updates report `not_found`, and DeleteCallOperator accepts a call that is already deleted.",
    source=page("get-call"),
    question="Does an unknown id get 404 or 422?",
    otherwise="404 has the same meaning. With another status, the task or row fails.",
    options=("unknown_id_status",),
)
def unknown_id(_target: Target) -> Flow[Finding]:
    """Read a call that does not exist."""
    return (yield from unknown(get_call(UNKNOWN_ID), 422, "unknown_id_status"))


def _whole(target: Target) -> Flow[tuple[dict[str, Any], str]]:
    """Read a call of the sample; return it as a dict, and its fault or ``""``."""
    call_id = CALLS.ids((yield from sample(target)))[0]
    request = get_call(call_id)
    response = yield from see(request)
    body = body_of(response)
    if not is_success(response) or not isinstance(body, dict):
        raise CannotTellError(f"get-call: {describe(response)}")
    try:
        request.parse(response.body)
    except ValidationError as fault:
        return body, parsing.describe(fault)
    return body, ""


@CHECKS.add(
    "calls.fields_have_documented_types",
    assumption="The fields of a call have the documented types.",
    matters="All tasks that read calls parse these fields.",
    source=page("get-call"),
    otherwise="The task fails and names the field. A bulk update fails the row. An export writes the call as received.",
)
def fields_have_documented_types(target: Target) -> Flow[Finding]:
    """Read the newest call that has ended."""
    body, fault = yield from target.once(_whole)
    return differs(fault) if fault else holds(f"{len(body)} fields")


@CHECKS.add(
    "calls.fields_are_declared",
    assumption="Calls have only the fields that Retell's SDK declares.",
    matters="ListCallsOperator validates `fields` against these names.",
    source=page("get-call"),
    otherwise="The package keeps other fields, but `fields` cannot select them.",
    options=("shows_tool_calls",),
)
def fields_are_declared(target: Target) -> Flow[Finding]:
    """Compare the names of the fields of the newest calls."""
    body, _ = yield from target.once(_whole)
    listed = yield from sample(target)
    names = set(body).union(*listed) - DECLARED
    option = {"shows_tool_calls": "tool_calls" in names}
    if not names:
        return holds("no other fields", options=option)
    return differs(", ".join(sorted({safe_name(name) for name in names})), handled=True, options=option)


@CHECKS.add(
    "calls.statuses_are_known",
    assumption="call_status is one of the five documented values.",
    matters="Waits end with `ended`, `error` or `not_connected`.",
    source=page("get-call"),
    otherwise="A call with an unknown status never counts as ended, so a wait for it times out.",
)
def statuses_are_known(target: Target) -> Flow[Finding]:
    """Look at the statuses of the newest calls."""
    _, calls = yield from CALLS.listed(limit=50)
    if not calls:
        raise SkipError("the organization has no call")
    found = {str(call.get("call_status")) for call in calls}
    if found - _STATUSES:
        return differs(f"{len(found - _STATUSES)} unknown")
    return holds(f"{len(found)} of {len(_STATUSES)} statuses")


@CHECKS.add(
    "calls.timestamps_are_milliseconds",
    assumption="Timestamps of calls are in epoch milliseconds.",
    matters="CallEventTrigger filters calls by the time of their end.",
    source=page("get-call"),
    otherwise="The trigger finds no calls.",
)
def timestamps_are_milliseconds(target: Target) -> Flow[Finding]:
    """Look at the size of the timestamps of the newest calls."""
    calls = yield from sample(target)
    return check_timestamps("call", calls)


@CHECKS.add(
    "calls.ended_calls_have_an_end",
    assumption="All calls that are over have end_timestamp, including those that never connected.",
    matters="CallEventTrigger finds calls by this field.",
    source=page("get-call"),
    question="Do all calls that are over have end_timestamp?",
    otherwise="CallEventTrigger misses calls without this field.",
)
def ended_calls_have_an_end(target: Target) -> Flow[Finding]:
    """Look for the newest calls without an end."""
    calls = yield from sample(target)
    return check_ends("call", calls, _STATUSES)


@CHECKS.add(
    "calls.unconnected_calls_have_no_start",
    assumption="A call that never connected has no start_timestamp.",
    matters="Lists and exports are sorted by this field.",
    source=NOT_DOCUMENTED,
    question="Do calls that never connected have start_timestamp?",
    otherwise="Nothing changes, because the package does not need the field.",
    options=("unconnected_calls_start",),
)
def unconnected_calls_have_no_start(_target: Target) -> Flow[Finding]:
    """List calls that never connected."""
    criteria = {"call_status": {"type": "enum", "op": "in", "value": ["not_connected"]}}
    _, calls = yield from CALLS.listed(filter_criteria=criteria, limit=50)
    if not calls:
        raise SkipError("the organization has no call that never connected")
    with_start = sum(call.get("start_timestamp") is not None for call in calls)
    if with_start:
        return differs("present", handled=True, unconnected_calls_start=True)
    return holds("absent", unconnected_calls_start=False)
