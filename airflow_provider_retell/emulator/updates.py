"""PATCH /v2/update-call and PATCH /v2/update-live-call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer
from airflow_provider_retell.emulator.placing import shown
from airflow_provider_retell.emulator.privacy import check_tightening, tighten

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization import Organization
    from airflow_provider_retell.emulator.vocabulary import Call


def update_call(org: Organization, call_id: str, body: dict[str, Any]) -> Answer:
    """Update a call that has ended; all or nothing."""
    options = org.options
    call = org.call(call_id)
    if call["call_status"] not in options.ended_statuses:
        raise ApiError(
            options.not_ended_status,
            f"Call {call_id} has not ended (call_status is {call['call_status']}); "
            "use update-live-call for ongoing calls",
        )
    setting = body.get("data_storage_setting")
    if setting is not None:
        check_tightening(call, setting)
        tighten(call, setting)
    if "metadata" in body:
        _set_metadata(org, call, body["metadata"])
    if "custom_attributes" in body:
        known = {
            name: value for name, value in body["custom_attributes"].items() if name in org.custom_attributes
        }
        merged = options.custom_attributes_semantics == "merge"
        call["custom_attributes"] = {**call.get("custom_attributes", {}), **known} if merged else known
    return json_answer(200, shown(org, call))


def _set_metadata(org: Organization, call: Call, metadata: dict[str, Any]) -> None:
    if org.options.metadata_semantics == "merge":
        metadata = {**call.get("metadata", {}), **metadata}
    if org.options.drops_null:
        metadata = {name: value for name, value in metadata.items() if value is not None}
    call["metadata"] = metadata


def update_live_call(org: Organization, call_id: str, body: dict[str, Any]) -> Answer:
    """Change a call while it goes on. That only ``ongoing`` calls are live here is our guess."""
    call = org.call(call_id)
    if call["call_status"] != "ongoing":
        raise ApiError(404, f"Call {call_id} is not live (call_status is {call['call_status']})")
    fields = body.get("fields_to_override", {})
    if "data_storage_setting" in fields:
        check_tightening(call, fields["data_storage_setting"])
        tighten(call, fields["data_storage_setting"])
    if "metadata" in fields:
        call["metadata"] = fields["metadata"]
    if "override_dynamic_variables" in fields:
        _override_variables(org, call, fields["override_dynamic_variables"])
    control = body.get("call_control", {})
    turns = []
    if "additional_context" in control:
        turns.append({"role": "injected", "content": control["additional_context"]})
    if control.get("trigger_response"):
        turns.append({"role": "agent", "content": "Let me come back to you on that.", "words": []})
    if turns:
        seconds = org.options.clock.now() - call.get("start_timestamp", 0) / 1000
        for turn in turns:
            if turn["role"] == "injected":
                turn["time_sec"] = round(seconds, 3)
        call["transcript_with_tool_calls"] = [*call.get("transcript_with_tool_calls", ()), *turns]
    return json_answer(200, {"success": True})


def _override_variables(org: Organization, call: Call, override: dict[str, str] | None) -> None:
    own = org.agent_variables.setdefault(call["call_id"], call.get("retell_llm_dynamic_variables", {}))
    if override is None:
        call["retell_llm_dynamic_variables"] = dict(own)
    else:
        call["retell_llm_dynamic_variables"] = {**call.get("retell_llm_dynamic_variables", {}), **override}
