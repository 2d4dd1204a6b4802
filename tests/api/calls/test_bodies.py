"""Bodies are closed and typed: an invalid field is rejected by name, without its value, before anything is sent."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.organization.endpoints import get_api_key_info, get_concurrency

FROM, TO = "+14155550100", "+14155550123"
PRIVATE = "pr1vate"


def update(**fields: Any) -> Any:
    return endpoints.update_call("call_1", **fields)


def live(**fields: Any) -> Any:
    return endpoints.update_live_call("call_1", **fields)


def place(**fields: Any) -> Any:
    return endpoints.create_phone_call(**{"from_number": FROM, "to_number": TO, **fields})


def batch(*tasks: Any, **fields: Any) -> Any:
    return endpoints.create_batch_call(
        **{"from_number": FROM, "tasks": list(tasks) or [{"to_number": TO}], **fields}
    )


def listing(**criteria: Any) -> Any:
    return endpoints.list_calls(filter_criteria=criteria)


def rejection(build: Any, fields: dict[str, Any]) -> str:
    with pytest.raises(RetellInputError) as caught:
        build(**fields)
    text = str(caught.value)
    assert text.endswith(". Nothing was sent")
    assert ". . " not in text
    # All exceptions that a traceback would print, without the source lines of this file.
    error: BaseException | None = caught.value
    while error is not None:
        assert PRIVATE not in "".join(traceback.format_exception_only(type(error), error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text


@pytest.mark.parametrize(
    ("build", "fields", "message"),
    [
        (update, {}, "set metadata, data_storage_setting or custom_attributes"),
        (live, {}, "set at least one field to change"),
        (update, {"metadata": [PRIVATE]}, "metadata must be"),
        (update, {"metadata": PRIVATE}, "metadata must be"),
        (update, {"metadata": {"a": "x" * 50_000}}, "50 kB"),
        (update, {"data_storage_setting": PRIVATE}, "data_storage_setting must be 'everything'"),
        (update, {"data_storage_setting": f"{PRIVATE}\ud83d"}, "data_storage_setting is text with half of"),
        (update, {"data_storage_setting": {PRIVATE}}, "data_storage_setting is a set"),
        (update, {"custom_attributes": [PRIVATE]}, "custom_attributes must be"),
        (update, {"custom_attributes": {"attr": None}}, "custom_attributes.attr must be"),
        (update, {"custom_attributes": {"attr": [PRIVATE]}}, "custom_attributes.attr must be"),
        (update, {"custom_attributes": {"attr": {"str": PRIVATE}}}, "custom_attributes.attr must be"),
        (update, {"custom_attributes": {"attr": {"x": PRIVATE}}}, "custom_attributes.attr must be"),
        (live, {"additional_context": "  "}, "call_control.additional_context must not be empty"),
        (live, {"additional_context": 5}, "call_control.additional_context must be"),
        (live, {"trigger_response": PRIVATE}, "call_control.trigger_response must be"),
        (
            live,
            {"override_dynamic_variables": {"a": 5}},
            "fields_to_override.override_dynamic_variables.a must be",
        ),
        (
            live,
            {"override_dynamic_variables": {f"+1415 {PRIVATE}": 5}},
            "fields_to_override.override_dynamic_variables.[..] must be",
        ),
        (live, {"metadata": {"a": "x" * 50_000}}, "fields_to_override.metadata is 50,"),
        (live, {"data_storage_setting": PRIVATE}, "fields_to_override.data_storage_setting must be"),
        (endpoints.list_calls, {"limit": 0}, "limit must be greater than or equal to 1"),
        (endpoints.list_calls, {"limit": 1001}, "limit must be less than or equal to 1000"),
        (endpoints.list_calls, {"limit": "5"}, "limit must be"),
        (endpoints.list_calls, {"limit": True}, "limit must be"),
        (endpoints.list_calls, {"skip": -1}, "skip must be"),
        (endpoints.list_calls, {"sort_order": PRIVATE}, "sort_order must be 'ascending' or 'descending'"),
        (endpoints.list_calls, {"pagination_key": " "}, "pagination_key must not be empty"),
        (endpoints.list_calls, {"skip": 1, "pagination_key": "k"}, "not both"),
        (endpoints.list_calls, {"filter_criteria": [PRIVATE]}, "filter_criteria must be"),
        (listing, {"nonsense": 1}, "filter_criteria.nonsense is not a field"),
        (listing, {f"+1415 {PRIVATE}": 1}, "filter_criteria.[..] is not a field"),
        (listing, {"call_id": PRIVATE}, "filter_criteria.call_id must be"),
        (
            listing,
            {"call_id": {"type": PRIVATE, "op": "eq", "value": "x"}},
            "filter_criteria.call_id must have a 'type'",
        ),
        (listing, {"call_id": {"op": "eq", "value": PRIVATE}}, "filter_criteria.call_id must have a 'type'"),
        (
            listing,
            {"call_id": {"type": "string", "op": PRIVATE, "value": "x"}},
            "filter_criteria.call_id.op must be",
        ),
        (listing, {"call_id": {"type": "string", "op": "eq"}}, "filter_criteria.call_id.value is missing"),
        (
            listing,
            {"call_id": {"type": "enum", "op": "in", "value": [1]}},
            "filter_criteria.call_id.value[0] must be",
        ),
        (
            listing,
            {"start_timestamp": {"type": "range", "op": "bt", "value": [1]}},
            "filter_criteria.start_timestamp.value must have at least 2 items",
        ),
        (
            listing,
            {"metadata": [{"type": "string", "op": "eq", "value": PRIVATE}]},
            "filter_criteria.metadata[0].key is missing",
        ),
        (
            listing,
            {"metadata": [{"type": "present", "op": "pr", "key": "a", "value": PRIVATE}]},
            "metadata[0].value is not",
        ),
        (
            listing,
            {"agent": [{"agent_id": "a", "version": [PRIVATE]}]},
            "filter_criteria.agent[0].version[0] must be",
        ),
        (listing, {"tool_calls": [{"success": PRIVATE}]}, "filter_criteria.tool_calls[0].success must be"),
        (place, {"from_number": PRIVATE}, "from_number must be a phone number"),
        (place, {"to_number": PRIVATE}, "to_number must be a phone number"),
        (place, {"from_number": "", "ignore_e164_validation": True}, "from_number must not be empty"),
        (place, {"to_number": 5, "ignore_e164_validation": True}, "to_number must be"),
        (place, {"idempotency_key": ""}, "idempotency_key must have at least 1 character"),
        (place, {"idempotency_key": PRIVATE * 40}, "idempotency_key must have at most 255"),
        (place, {"override_agent_version": " "}, "override_agent_version"),
        (place, {"override_agent_version": 1.5}, "override_agent_version must be"),
        (place, {"retell_llm_dynamic_variables": {"a": 5}}, "retell_llm_dynamic_variables.a must be"),
        (place, {"custom_sip_headers": {"X": None}}, "custom_sip_headers.X must be"),
        (place, {"agent_override": PRIVATE}, "agent_override must be"),
        (place, {"honor_internal_dnc": "yes"}, "honor_internal_dnc must be"),
        (place, {"ignore_e164_validation": "yes"}, "ignore_e164_validation must be"),
        (place, {"metadata": {"a": {PRIVATE}}}, "metadata.a is a set"),
        (batch, {"from_number": PRIVATE}, "from_number must be a phone number"),
        (batch, {"tasks": []}, "tasks must have at least 1 item"),
        (batch, {"tasks": None}, "tasks is missing"),
        (batch, {"tasks": PRIVATE}, "tasks must be"),
        (batch, {"tasks": {"to_number": PRIVATE}}, "tasks must be"),
        (batch, {"tasks": [PRIVATE]}, "tasks[0] must be"),
        (batch, {"tasks": [{"to_number": TO}, None]}, "tasks[1] must be"),
        (batch, {"tasks": [{}]}, "tasks[0].to_number is missing"),
        (batch, {"tasks": [{"to_number": 14155550123}]}, "tasks[0].to_number must be"),
        (
            batch,
            {"tasks": [{"to_number": TO}, {"to_number": PRIVATE}]},
            "tasks[1].to_number must be a phone number",
        ),
        (batch, {"tasks": [{"to_number": TO, "nonsense": PRIVATE}]}, "tasks[0].nonsense is not a field"),
        (batch, {"tasks": [{"to_number": TO, "from_number": FROM}]}, "tasks[0].from_number is not a field"),
        (batch, {"tasks": [{"to_number": TO, "metadata": {"a": "x" * 50_000}}]}, "tasks[0].metadata is 50,"),
        (batch, {"tasks": [{"to_number": TO, "metadata": {"a": b"x"}}]}, "tasks[0].metadata.a is bytes"),
        (
            batch,
            {"tasks": [{"to_number": TO, "retell_llm_dynamic_variables": {"a": 1}}]},
            "tasks[0].retell_llm",
        ),
        (batch, {"name": " "}, "name must not be empty"),
        (batch, {"trigger_timestamp": -1}, "trigger_timestamp must be"),
        (batch, {"trigger_timestamp": 1.5}, "trigger_timestamp must be"),
        (batch, {"reserved_concurrency": -1}, "reserved_concurrency must be"),
        (batch, {"call_time_window": {"windows": []}}, "call_time_window.windows must have at least 1"),
        (
            batch,
            {"call_time_window": {"windows": [{"start": 0}]}},
            "call_time_window.windows[0].end is missing",
        ),
        (
            batch,
            {"call_time_window": {"windows": [{"start": 0, "end": 1441}]}},
            "windows[0].end must be less",
        ),
        (
            batch,
            {"call_time_window": {"windows": [{"start": 0, "end": 9}], "day": [PRIVATE]}},
            "call_time_window.day[0] must be 'Monday'",
        ),
    ],
)
def test_invalid_field_is_rejected_by_name(build: Any, fields: dict[str, Any], message: str) -> None:
    assert message in rejection(build, fields)


def test_other_formats_are_accepted_with_ignore_e164_validation() -> None:
    sent = json.loads(place(from_number="sip:a", to_number="100", ignore_e164_validation=True).body)
    assert sent == {"from_number": "sip:a", "to_number": "100", "ignore_e164_validation": True}
    tasks = [{"to_number": "100", "ignore_e164_validation": True}]
    assert json.loads(batch(*tasks).body)["tasks"] == tasks


def test_every_kind_of_filter_condition_is_sent_unchanged() -> None:
    criteria = {
        "agent": [{"agent_id": "agent_1", "version": [1, 2]}],
        "call_id": {"type": "string", "op": "sw", "value": "call_"},
        "call_status": {"type": "enum", "op": "in", "value": ["ended"]},
        "duration_ms": {"type": "number", "op": "ge", "value": 1.5},
        "start_timestamp": {"type": "range", "op": "bt", "value": [1, 2]},
        "in_voicemail": {"type": "boolean", "op": "eq", "value": False},
        "metadata": [
            {"type": "string", "op": "eq", "value": "x", "key": "a"},
            {"type": "number", "op": "lt", "value": 5, "key": "a"},
            {"type": "range", "op": "bt", "value": [1, 2], "key": "a"},
            {"type": "enum", "op": "in", "value": ["x"], "key": "a"},
            {"type": "boolean", "op": "eq", "value": True, "key": "a"},
            {"type": "present", "op": "np", "key": "b"},
        ],
        "tool_calls": [{"name": "book", "success": {"type": "boolean", "op": "eq", "value": True}}],
    }
    assert json.loads(listing(**criteria).body) == {"filter_criteria": criteria}


def test_filter_on_call_id_accepts_several_ids() -> None:
    criteria = {"call_id": {"type": "enum", "op": "in", "value": ("a", "b")}}
    assert json.loads(listing(**criteria).body)["filter_criteria"]["call_id"]["value"] == ["a", "b"]


def test_override_of_dynamic_variables_is_sent_as_null_for_none_and_not_sent_if_not_given() -> None:
    removing = live(override_dynamic_variables=None)
    assert json.loads(removing.body) == {"fields_to_override": {"override_dynamic_variables": None}}
    with pytest.raises(RetellInputError, match="set at least one field to change"):
        live(trigger_response=False)


@pytest.mark.parametrize(
    ("request_", "idempotent"),
    [
        (update(metadata={}), True),
        (live(metadata={}), True),
        (live(override_dynamic_variables={"a": "b"}), True),
        (live(trigger_response=True), False),
        (live(additional_context="x", metadata={}), False),
        (endpoints.get_call("c"), True),
        (endpoints.list_calls(), True),
        (place(), False),
        (place(idempotency_key="k"), True),
        (batch(), False),
        (endpoints.stop_call("c"), True),
        (endpoints.delete_call("c"), True),
        (endpoints.rerun_call_analysis("c"), False),
        (get_concurrency(), True),
        (get_api_key_info(), True),
    ],
    ids=str,
)
def test_request_is_idempotent_if_a_second_one_changes_nothing_more(request_: Any, idempotent: bool) -> None:
    assert request_.idempotent is idempotent
