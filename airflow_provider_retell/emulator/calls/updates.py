"""The endpoints that change a call: PATCH /v2/update-call and PATCH /v2/update-live-call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls import bodies
from airflow_provider_retell.emulator.calls.privacy import tighten
from airflow_provider_retell.emulator.calls.vocabulary import STORAGE_SETTINGS
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes
from airflow_provider_retell.emulator.updates import (
    check_attributes,
    check_size,
    check_tightening,
    set_fields,
)

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.calls.backend import CallBackend
    from airflow_provider_retell.emulator.calls.vocabulary import Call
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()


@ROUTES.add("PATCH", "/v2/update-call/{call_id}", ("history", "edit"), bodies.UPDATE_CALL)
def update_call(org: Organization, request: Request) -> Response:
    """Update a call that has ended. A refused request changes nothing."""
    body: dict[str, Any] = request.body
    options = org.options
    check_size(org, body, "body")
    call = org.call_backend.find(request.ids["call_id"])
    if call["call_status"] not in options.ended_statuses:
        raise ApiError(
            options.not_ended_status,
            f"Call {call['call_id']} has not ended (call_status is {call['call_status']}); "
            "use update-live-call for ongoing calls",
        )
    check_attributes(org, org.options, body)
    setting = body.get("data_storage_setting")
    if setting is not None:
        check_tightening(call, setting, STORAGE_SETTINGS, options.storage_conflict_status)
    org.call_backend.about_to_change(call)
    if setting is not None:
        tighten(call, setting)
    set_fields(org, org.options, call, body)
    return json_response(200, org.call_backend.visible(call))


@ROUTES.add("PATCH", "/v2/update-live-call/{call_id}", ("call", "edit"), bodies.UPDATE_LIVE_CALL)
def update_live_call(org: Organization, request: Request) -> Response:
    """Change an ongoing call. That registered calls are refused is our guess."""
    body: dict[str, Any] = request.body
    fields = body.get("fields_to_override", {})
    check_size(org, fields, "body/fields_to_override")
    call = org.call_backend.find(request.ids["call_id"])
    if call["call_status"] != "ongoing":
        raise ApiError(
            org.options.not_live_status,
            f"Call {call['call_id']} is not live (call_status is {call['call_status']})",
        )
    setting = fields.get("data_storage_setting")
    if setting is not None:
        check_tightening(call, setting, STORAGE_SETTINGS, org.options.storage_conflict_status)
        tighten(call, setting)
    if "metadata" in fields:
        call["metadata"] = fields["metadata"]
    if "override_dynamic_variables" in fields:
        _override_variables(org.call_backend, call, fields["override_dynamic_variables"])
    turns = _turns(
        body.get("call_control", {}), org.options.clock.now() - call.get("start_timestamp", 0) / 1000
    )
    if turns:
        call["transcript_with_tool_calls"] = [*call.get("transcript_with_tool_calls", ()), *turns]
    return json_response(200, {"success": True})


def _override_variables(calls: CallBackend, call: Call, override: dict[str, str] | None) -> None:
    """Merge *override* into the dynamic variables, or restore the original ones if it is None."""
    variables = call.get("retell_llm_dynamic_variables", {})
    original = calls.agent_variables.setdefault(call["call_id"], variables)
    call["retell_llm_dynamic_variables"] = dict(original) if override is None else {**variables, **override}


def _turns(control: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    """Return the turns that ``call_control`` adds to the transcript, *seconds* after the start."""
    turns: list[dict[str, Any]] = []
    if "additional_context" in control:
        turns.append(
            {"role": "injected", "content": control["additional_context"], "time_sec": round(seconds, 3)}
        )
    if control.get("trigger_response"):
        turns.append({"role": "agent", "content": "Let me come back to you on that.", "words": []})
    return turns
