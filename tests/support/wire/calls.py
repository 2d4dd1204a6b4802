"""Examples of the endpoints of calls."""

from __future__ import annotations

from decimal import Decimal

from airflow_provider_retell.api.calls.models import BatchCall, Call, CallPage, LiveUpdate
from wire import Example

FROM, TO = "+14155550100", "+14155550123"
OTHER_CHANGES = {
    "data_storage_setting": "everything_except_pii",
    "custom_attributes": {"attr_tier": "gold"},
}
LISTING = {
    "filter_criteria": {"call_status": {"type": "enum", "op": "in", "value": ["ended"]}},
    "sort_order": "ascending",
    "limit": 1,
    "skip": 1,
    "include_total": True,
}
PHONE_CALL = {
    "override_agent_id": "agent_1",
    "override_agent_version": 2,
    "agent_override": {"agent": {"voice_speed": 1.1}},
    "metadata": {"a": 1},
    "retell_llm_dynamic_variables": {"name": "Ada"},
    "custom_sip_headers": {"X-A": "b"},
    "honor_internal_dnc": True,
    "idempotency_key": "k1",
}
TASK = {"to_number": TO, "metadata": {"a": 1}}
BATCH = {
    "name": "Monday",
    "trigger_timestamp": 4_000_000_000_000,
    "reserved_concurrency": 1,
    "call_time_window": {
        "windows": [{"start": 540, "end": 600}],
        "timezone": "Europe/Warsaw",
        "day": ["Monday"],
    },
}

EXAMPLES = [
    Example(
        "update_call",
        ("call_1",),
        {"metadata": {"score": Decimal("0.5"), "none": None}, **OTHER_CHANGES},
        "PATCH /v2/update-call/call_1",
        {"metadata": {"score": 0.5, "none": None}, **OTHER_CHANGES},
        200,
        Call,
    ),
    Example(
        "update_call",
        ("call_1",),
        {"metadata": {}},
        "PATCH /v2/update-call/call_1",
        {"metadata": {}},
        200,
        Call,
    ),
    Example(
        "update_live_call",
        ("call_live",),
        {"additional_context": "hi", "trigger_response": True, "metadata": {"a": 1}},
        "PATCH /v2/update-live-call/call_live",
        {
            "call_control": {"additional_context": "hi", "trigger_response": True},
            "fields_to_override": {"metadata": {"a": 1}},
        },
        200,
        LiveUpdate,
        sent_once=True,
    ),
    Example(
        "update_live_call",
        ("call_live",),
        {"override_dynamic_variables": None},
        "PATCH /v2/update-live-call/call_live",
        {"fields_to_override": {"override_dynamic_variables": None}},
        200,
        LiveUpdate,
    ),
    Example(
        "update_live_call",
        ("call_live",),
        {"override_dynamic_variables": {"name": "Ada"}, "data_storage_setting": "basic_attributes_only"},
        "PATCH /v2/update-live-call/call_live",
        {
            "fields_to_override": {
                "data_storage_setting": "basic_attributes_only",
                "override_dynamic_variables": {"name": "Ada"},
            }
        },
        200,
        LiveUpdate,
    ),
    Example("get_call", ("call_1",), {}, "GET /v2/get-call/call_1", None, 200, Call),
    Example("list_calls_page", (), {}, "POST /v3/list-calls", {}, 200, CallPage),
    Example(
        "list_calls_page",
        (),
        LISTING,
        "POST /v3/list-calls",
        LISTING,
        200,
        CallPage,
    ),
    Example(
        "create_phone_call",
        (FROM, TO),
        PHONE_CALL,
        "POST /v2/create-phone-call",
        {"from_number": FROM, "to_number": TO, **PHONE_CALL},
        201,
        Call,
    ),
    Example(
        "create_batch_call",
        (FROM, [TASK]),
        BATCH,
        "POST /create-batch-call",
        {"from_number": FROM, "tasks": [TASK], **BATCH},
        201,
        BatchCall,
        sent_once=True,
    ),
    Example("stop_call", ("call_live",), {}, "POST /v2/stop-call/call_live", None, 204, None),
    Example("delete_call", ("call_1",), {}, "DELETE /v2/delete-call/call_1", None, 204, None),
    Example(
        "rerun_call_analysis",
        ("call_1",),
        {},
        "PUT /rerun-call-analysis/call_1",
        None,
        201,
        Call,
        sent_once=True,
    ),
]
