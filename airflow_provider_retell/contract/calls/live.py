"""Checks of calls that are not over, and of requests that need such a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import stop_call, update_call, update_live_call
from airflow_provider_retell.contract.calls.common import CALLS, WRITES
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import Finding, differs, holds
from airflow_provider_retell.contract.flags import WRITE
from airflow_provider_retell.contract.records import KEY
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    describe,
    fields_of,
    is_success,
    rejection,
    see,
)
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()


@CHECKS.add(
    "calls.update_of_live_call",
    assumption="update-call rejects an ongoing call with 400.",
    matters="The error message says that the call has not ended, and how to wait for its end.",
    source="https://docs.retellai.com/deprecation-notice/2026/08-31_update_call_ended_calls_only",
    question="With which status does update-call reject an ongoing call?",
    otherwise="422 has the same meaning. If Retell accepts the update, nothing changes except with `replace`, which "
    "does not check the status.",
    flags=WRITES,
    options=("not_ended_status",),
)
def update_of_live_call(target: Target) -> Flow[Finding]:
    """Update a named call that is ongoing."""
    return (yield from _rejected(target, "ongoing"))


@CHECKS.add(
    "calls.update_of_registered_call",
    assumption="update-call rejects a registered call.",
    matters="Updates treat `registered` as not ended.",
    source=NOT_DOCUMENTED,
    question="Does update-call accept a registered call?",
    otherwise="Nothing changes except with `replace`, which does not check the status.",
    flags=WRITES,
    options=("ended_statuses", "not_ended_status"),
)
def update_of_registered_call(target: Target) -> Flow[Finding]:
    """Update a named call that is registered."""
    return (yield from _rejected(target, "registered"))


def _rejected(target: Target, status: str) -> Flow[Finding]:
    call = yield from CALLS.writable(target, status)
    metadata = {**(call.metadata or {}), KEY: "a"}
    response = yield from see(update_call(call.call_id, metadata=metadata))
    if is_success(response):
        return differs(describe(response), handled=True, ended_statuses={status: True})
    options = {"ended_statuses": {status: False}, "not_ended_status": response.status}
    if response.status == 400:
        return holds(describe(response), options=options)
    if response.status == 422:
        return differs(describe(response), handled=True, options=options)
    return differs(describe(response))


@CHECKS.add(
    "calls.live_update_returns_success",
    assumption="update-live-call returns `success: true`.",
    matters="UpdateLiveCallOperator checks it.",
    source=page("update-live-call"),
    otherwise="The task fails although the call was changed.",
    flags=WRITES,
)
def live_update_returns_success(target: Target) -> Flow[Finding]:
    """Change the metadata of a named call that is ongoing."""
    call = yield from CALLS.writable(target, "ongoing")
    metadata = {**(call.metadata or {}), KEY: "a"}
    response = yield from see(update_live_call(call.call_id, metadata=metadata))
    if is_success(response) and fields_of(response).get("success") is True:
        return holds(f"{response.status} with success")
    return differs(describe(response))


@CHECKS.add(
    "calls.live_update_of_ended_call",
    assumption="update-live-call rejects a call that has ended with 404.",
    matters="The error message of UpdateLiveCallOperator depends on the status.",
    source=page("update-live-call"),
    question="With which status does update-live-call reject a call that has ended?",
    otherwise="The task fails with another message.",
    flags=WRITES,
    options=("not_live_status",),
)
def live_update_of_ended_call(target: Target) -> Flow[Finding]:
    """Send a live update to a named call that has ended."""
    call = yield from CALLS.writable(target)
    metadata = {**(call.metadata or {}), KEY: "a"}
    response = yield from see(update_live_call(call.call_id, metadata=metadata))
    if is_success(response):
        return differs(describe(response), handled=True)
    return rejection(response, 404, REJECTED, "not_live_status")


@CHECKS.add(
    "calls.stop_of_ended_call",
    assumption="stop-call rejects a call that has ended with 400.",
    matters="StopCallOperator succeeds if the call ends just before the request.",
    source=NOT_DOCUMENTED,
    question="With which status does stop-call reject a call that has ended?",
    otherwise="404 and 422 have the same meaning. With another status, the task fails.",
    flags=WRITES,
    options=("stop_ended_status",),
)
def stop_of_ended_call(target: Target) -> Flow[Finding]:
    """Stop a named call that has ended."""
    calls: list[Call] = yield from CALLS.named(target)
    call = one([call for call in calls if call.has_ended], "needs --call-id of a call that has ended")
    response = yield from see(stop_call(call.call_id))
    if is_success(response):
        return differs(describe(response), handled=True)
    return rejection(response, 400, NOT_FOUND, "stop_ended_status")


@CHECKS.add(
    "calls.stop_unknown_id",
    assumption="stop-call rejects an unknown id with 404 or 422.",
    matters="The error message recommends checking the id.",
    source=page("stop-call"),
    otherwise="The task fails with another message.",
    flags=(WRITE,),
)
def stop_unknown_id(_target: Target) -> Flow[Finding]:
    """Stop a call that does not exist."""
    response = yield from see(stop_call(CALLS.unknown_id))
    return holds(describe(response)) if response.status in NOT_FOUND else differs(describe(response))
