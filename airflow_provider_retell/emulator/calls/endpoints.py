"""The endpoints that read, stop, analyze or delete one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.calls.vocabulary import LIVE_STATUSES
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_EDIT = ("history", "edit")


@ROUTES.add("GET", "/v2/get-call/{call_id}", ("history", "read"))
def get_call(org: Organization, request: Request) -> Response:
    """Return the call with all fields that Retell declares."""
    calls = org.call_backend
    return json_response(200, calls.visible(calls.find(request.ids["call_id"])))


@ROUTES.add("POST", "/v2/stop-call/{call_id}", ("call", "edit"))
def stop_call(org: Organization, request: Request) -> Response:
    """End a live call."""
    call = org.call_backend.find(request.ids["call_id"])
    if call["call_status"] not in LIVE_STATUSES:
        raise ApiError(
            org.options.stop_ended_status,
            f"Call {call['call_id']} is not ongoing (call_status is {call['call_status']})",
        )
    org.call_backend.progress.end(call, org.options.clock.now(), "manual_stopped")
    return Response(204)


@ROUTES.add("DELETE", "/v2/delete-call/{call_id}", _EDIT)
def delete_call(org: Organization, request: Request) -> Response:
    """Remove a call for good."""
    call = org.call_backend.find(request.ids["call_id"])
    status = org.options.delete_live_status
    if status >= 400 and call["call_status"] in LIVE_STATUSES:
        raise ApiError(status, f"Call {call['call_id']} has not ended (call_status is {call['call_status']})")
    org.call_backend.store.remove(call["call_id"])
    org.catch_up()
    return Response(204)


@ROUTES.add("PUT", "/rerun-call-analysis/{call_id}", _EDIT)
def rerun_call_analysis(org: Organization, request: Request) -> Response:
    """Analyze an ended call again, and charge for it.

    That calls that have not ended are refused with 400 is our guess.
    """
    calls = org.call_backend
    call = calls.find(request.ids["call_id"])
    call_id = call["call_id"]
    if call["call_status"] in LIVE_STATUSES:
        raise ApiError(400, f"Call {call_id} has not ended (call_status is {call['call_status']})")
    calls.reruns += 1
    runs = calls.analysis_runs.get(call_id, 1) + 1
    calls.analysis_runs[call_id] = runs

    def finish(_when: float) -> None:
        call["call_analysis"] = calls.progress.analysis(call, runs)

    if org.options.rerun_seconds:
        org.timeline.at(org.options.clock.now() + org.options.rerun_seconds, finish)
    else:
        finish(0)
    return json_response(org.options.rerun_status, calls.visible(call))
