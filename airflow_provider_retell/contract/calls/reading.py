"""Checks of call objects, as get-call and list-calls return them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.fields import DECLARED
from airflow_provider_retell.api.encode import safe_name
from airflow_provider_retell.contract.calls.common import CALLS, READS
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

CHECKS.add(
    "calls.unknown_id",
    assumption="get-call rejects an unknown id with 422.",
    matters="Bulk updates report `not_found`, and DeleteCallOperator accepts a call that is already deleted.",
    source=page("get-call"),
    question="Does an unknown id get 404 or 422?",
    otherwise="404 has the same meaning. With another status, the task or row fails.",
    options=("unknown_id_status",),
)(READS.unknown_id)

CHECKS.add(
    "calls.fields_have_documented_types",
    assumption="The fields of a call have the documented types.",
    matters="All tasks that read calls parse these fields.",
    source=page("get-call"),
    otherwise="The task fails and names the field. A bulk update fails the row. An export writes the call as received.",
)(READS.types)


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
    body, _ = yield from target.once(READS.whole)
    listed = yield from CALLS.sample(target)
    names = set(body).union(*listed) - DECLARED
    option = {"shows_tool_calls": "tool_calls" in names}
    if not names:
        return holds("no other fields", options=option)
    return differs(", ".join(sorted({safe_name(name) for name in names})), handled=True, options=option)


CHECKS.add(
    "calls.statuses_are_known",
    assumption="call_status is one of the five documented values.",
    matters="Waits end with `ended`, `error` or `not_connected`.",
    source=page("get-call"),
    otherwise="A call with an unknown status never counts as ended, so a wait for it times out.",
)(READS.statuses)

CHECKS.add(
    "calls.timestamps_are_milliseconds",
    assumption="Timestamps of calls are in epoch milliseconds.",
    matters="CallEventTrigger filters calls by the time of their end.",
    source=page("get-call"),
    otherwise="The trigger finds no calls.",
)(READS.timestamps)

CHECKS.add(
    "calls.ended_calls_have_an_end",
    assumption="All calls that are over have end_timestamp, including those that never connected.",
    matters="CallEventTrigger finds calls by this field.",
    source=page("get-call"),
    question="Do all calls that are over have end_timestamp?",
    otherwise="CallEventTrigger misses calls without this field.",
)(READS.ends)


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
