"""Checks that delete a call, or pay for another analysis of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import (
    delete_call,
    get_call,
    list_calls,
    rerun_call_analysis,
)
from airflow_provider_retell.contract.calls.common import CALLS
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.records import TRIES
from airflow_provider_retell.contract.seeing import NOT_FOUND, ask, body_of, describe, is_success, see

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

RERUN = Flag(
    "--rerun-call-id", "a call that has ended and whose analysis may be repeated, which Retell bills", "ID"
)
DELETE = Flag("--delete-call-id", "a call that the checks may delete for good", "ID")
DELETE_LIVE = Flag("--delete-live-call-id", "an ongoing call that the checks may delete for good", "ID")


def _rerun(target: Target) -> Flow[tuple[Call, Response]]:
    """Repeat an analysis once; return the call before it and the response."""
    call: Call = yield from ask(get_call(target.values(RERUN)[0]))
    if not call.has_ended or call.call_analysis is None:
        raise SkipError("the call in --rerun-call-id has no analysis yet")
    response = yield from see(rerun_call_analysis(call.call_id))
    return call, response


@CHECKS.add(
    "calls.rerun_returns_call",
    assumption="rerun-call-analysis returns 201 and the call.",
    matters="RerunCallAnalysisOperator returns this call.",
    source=NOT_DOCUMENTED,
    question="Does rerun-call-analysis return 200 or 201?",
    otherwise="The package accepts any 2xx status. Without the call, the task fails.",
    flags=(RERUN,),
    options=("rerun_status",),
)
def rerun_returns_call(target: Target) -> Flow[Finding]:
    """Repeat the analysis of a named call."""
    call, response = yield from target.once(_rerun)
    body = body_of(response)
    if not is_success(response) or not isinstance(body, dict) or body.get("call_id") != call.call_id:
        return differs(describe(response))
    options = {"rerun_status": response.status}
    if response.status == 201:
        return holds("201 with the call", options=options)
    return differs(f"{response.status} with the call", handled=True, options=options)


@CHECKS.add(
    "calls.rerun_is_complete",
    assumption="The response of rerun-call-analysis contains the new analysis.",
    matters="The result of RerunCallAnalysisOperator describes the call in the response.",
    source=NOT_DOCUMENTED,
    question="When is a repeated analysis complete?",
    otherwise="Nothing changes, because the operator does not promise a complete analysis.",
    flags=(RERUN,),
    options=("rerun_seconds",),
)
def rerun_is_complete(target: Target) -> Flow[Finding]:
    """Compare the analysis before and after; if it is the same, read the call until it changes."""
    call, response = yield from target.once(_rerun)
    body = body_of(response)
    if not is_success(response) or not isinstance(body, dict):
        raise CannotTellError(f"rerun-call-analysis: {describe(response)}")
    before = call.call_analysis.model_dump(exclude_unset=True) if call.call_analysis else None
    if body.get("call_analysis") not in (None, before):
        return holds("another analysis", rerun_seconds=0.0)
    for number in range(1, TRIES + 1):
        changed: Call = yield from ask(get_call(call.call_id))
        after = changed.call_analysis.model_dump(exclude_unset=True) if changed.call_analysis else None
        if after not in (None, before):
            return differs(f"after {number} requests", handled=True, rerun_seconds=60.0)
    raise CannotTellError(f"the same analysis, or none, in {TRIES} requests")


def _delete(target: Target) -> Flow[Response]:
    """Delete the named call once, and return the response."""
    call: Call = yield from ask(get_call(target.values(DELETE)[0]))
    if not call.has_ended:
        raise SkipError("the call in --delete-call-id has not ended")
    response: Response = yield from see(delete_call(call.call_id))
    return response


def _deleted(target: Target) -> Flow[str]:
    """Return the id of a call that was deleted."""
    response = yield from target.once(_delete)
    if not is_success(response):
        raise CannotTellError(f"delete-call: {describe(response)}")
    return target.values(DELETE)[0]


@CHECKS.add(
    "calls.delete_succeeds",
    assumption="delete-call returns 204.",
    matters="DeleteCallOperator deletes calls.",
    source=page("delete-call"),
    otherwise="The package accepts any 2xx status. With another status, the task fails.",
    flags=(DELETE,),
)
def delete_succeeds(target: Target) -> Flow[Finding]:
    """Delete a named call."""
    response = yield from target.once(_delete)
    if response.status == 204:
        return holds("204")
    return differs(describe(response), handled=is_success(response))


@CHECKS.add(
    "calls.deleted_call_is_gone",
    assumption="get-call rejects a deleted call with 404 or 422 immediately.",
    matters="If Retell rejects a deletion, DeleteCallOperator reads the call to find out whether it still exists.",
    source=page("delete-call"),
    otherwise="A repeated deletion fails, because the call seems to exist.",
    flags=(DELETE,),
)
def deleted_call_is_gone(target: Target) -> Flow[Finding]:
    """Read a call that was deleted."""
    call_id = yield from _deleted(target)
    response = yield from see(get_call(call_id))
    return holds(describe(response)) if response.status in NOT_FOUND else differs(describe(response))


@CHECKS.add(
    "calls.deleted_call_is_not_listed",
    assumption="list-calls leaves out a deleted call immediately.",
    matters="Retention DAGs list calls and delete them.",
    source=NOT_DOCUMENTED,
    question="Does list-calls leave out a deleted call immediately?",
    otherwise="The next run deletes the call again, which does no harm.",
    flags=(DELETE,),
)
def deleted_call_is_not_listed(target: Target) -> Flow[Finding]:
    """List a call that was deleted."""
    call_id = yield from _deleted(target)
    found = yield from ask(list_calls(filter_criteria=CALLS.by_ids([call_id]), limit=1))
    return differs("the call", handled=True) if found.items else holds("no call")


@CHECKS.add(
    "calls.second_deletion_is_rejected",
    assumption="delete-call rejects a deleted call with 404 or 422.",
    matters="DeleteCallOperator succeeds if the call is already deleted.",
    source=page("delete-call"),
    otherwise="With 400 or a 2xx status, the task succeeds. With another status, it fails.",
    flags=(DELETE,),
)
def second_deletion_is_rejected(target: Target) -> Flow[Finding]:
    """Delete a call again."""
    call_id = yield from _deleted(target)
    response = yield from see(delete_call(call_id))
    if response.status in NOT_FOUND:
        return holds(describe(response))
    return differs(describe(response), handled=is_success(response) or response.status == 400)


@CHECKS.add(
    "calls.delete_of_live_call",
    assumption="delete-call deletes an ongoing call.",
    matters="If Retell refuses it, DeleteCallOperator is retried until the call has ended.",
    source=NOT_DOCUMENTED,
    question="Does delete-call delete an ongoing call?",
    otherwise="With 400, 404 or 422, the task says that the call is ongoing, and is retried. With another status, its "
    "message does not say so.",
    flags=(DELETE_LIVE,),
    options=("delete_live_status",),
)
def delete_of_live_call(target: Target) -> Flow[Finding]:
    """Delete a named call that is ongoing."""
    call: Call = yield from ask(get_call(target.values(DELETE_LIVE)[0]))
    if call.has_ended:
        raise SkipError("the call in --delete-live-call-id has ended")
    response = yield from see(delete_call(call.call_id))
    if is_success(response):
        return holds(describe(response), delete_live_status=204)
    handled = response.status in (400, *NOT_FOUND)
    return differs(describe(response), handled=handled, delete_live_status=response.status)
