"""Errors of invalid input: one class, printable, and without the values."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any, cast

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.update import prepare_update
from airflow_provider_retell.bulk.records.columns import Columns
from airflow_provider_retell.bulk.records.updates import RecordUpdates

SECRET = "pr1vate"

# Text with the secret, also where the API expects an id, a number or a choice, and as keys that are no names.
secret_texts = st.sampled_from(
    [SECRET, f"{SECRET} note", f"+1415{SECRET}", f"{SECRET}\n", f"{SECRET}\ud83d", SECRET * 60]
)
secret_keys = st.sampled_from(
    [f"{SECRET} key", f"+1 {SECRET}", f"{SECRET}\ud83d", "a", "type", "value", "op", "key"]
)
values = st.recursive(
    secret_texts | strategies.anything | st.sampled_from([1, None, "string", "eq"]),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(secret_keys, items, max_size=3),
    max_leaves=6,
)
criteria = st.dictionaries(
    st.sampled_from(["call_id", "metadata", "start_timestamp", "agent", "from_number", "tool_calls"])
    | secret_keys,
    values | st.dictionaries(st.sampled_from(["type", "op", "value", "key"]), values, max_size=4),
    max_size=3,
)
objects = st.dictionaries(secret_keys, values, max_size=3)
tasks = st.lists(
    st.dictionaries(
        st.sampled_from(["to_number", "metadata", "retell_llm_dynamic_variables"]) | secret_keys, values
    ),
    max_size=2,
)

ENDPOINTS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "update_call": (
        endpoints.update_call,
        {"metadata": objects | values, "data_storage_setting": values, "custom_attributes": objects | values},
    ),
    "update_live_call": (
        endpoints.update_live_call,
        {
            "additional_context": values,
            "override_dynamic_variables": objects | values,
            "metadata": objects,
            "trigger_response": values,
        },
    ),
    "prepare_update": (
        functools.partial(prepare_update, CALLS),
        {
            "metadata": objects,
            "metadata_mode": st.sampled_from(["merge", "fill", "replace"]),
            "remove_metadata_keys": st.lists(secret_keys, max_size=3),
            "custom_attributes": objects,
        },
    ),
}


def check(error: RetellInputError) -> None:
    """Check the message of *error*, and the traceback that Airflow logs."""
    assert error.permanent
    assert error.not_processed
    logged = "".join(traceback.format_exception(error))
    # Lines of source code, and the error itself.
    assert SECRET not in "".join(line for line in logged.splitlines(True) if not line.startswith("    "))
    assert SECRET not in str(error)
    assert str(error).encode()


@pytest.mark.parametrize("name", ENDPOINTS)
@given(data=st.data())
def test_change_is_valid_json_or_rejected_without_its_values(name: str, data: st.DataObject) -> None:
    function, arguments = ENDPOINTS[name]
    chosen = data.draw(st.fixed_dictionaries({}, optional=arguments))
    try:
        function("call_1", **chosen)
    except RetellInputError as error:
        check(error)


@given(secret_texts | values)
def test_invalid_id_is_rejected_without_the_id(value: Any) -> None:
    for function in (
        endpoints.get_call,
        endpoints.stop_call,
        endpoints.delete_call,
        endpoints.rerun_call_analysis,
    ):
        try:
            function(value)
        except RetellInputError as error:
            check(error)


@given(criteria | values, values, values, values)
def test_invalid_filter_is_rejected_without_its_values(
    filter_criteria: Any, order: Any, limit: Any, key: Any
) -> None:
    for arguments in (
        {"filter_criteria": filter_criteria},
        {"sort_order": order},
        {"limit": limit},
        {"pagination_key": key},
    ):
        try:
            endpoints.list_calls(**arguments)
        except RetellInputError as error:
            check(error)


@given(values, values, objects, tasks | values)
def test_invalid_call_is_rejected_without_numbers_and_values(
    number: Any, text: Any, fields: Any, batch: Any
) -> None:
    valid = "+14155550100"
    for function, arguments in (
        (endpoints.create_phone_call, {"from_number": number, "to_number": valid}),
        (endpoints.create_phone_call, {"from_number": valid, "to_number": number}),
        (endpoints.create_phone_call, {"from_number": valid, "to_number": valid, "metadata": fields}),
        (endpoints.create_phone_call, {"from_number": valid, "to_number": valid, "idempotency_key": text}),
        (
            endpoints.create_phone_call,
            {"from_number": valid, "to_number": valid, "retell_llm_dynamic_variables": fields},
        ),
        (endpoints.create_batch_call, {"from_number": valid, "tasks": batch}),
        (endpoints.create_batch_call, {"from_number": valid, "tasks": [{"to_number": valid}], "name": text}),
        (
            endpoints.create_batch_call,
            {"from_number": valid, "tasks": [{"to_number": valid}], "trigger_timestamp": text},
        ),
    ):
        try:
            function(**arguments)
        except RetellInputError as error:
            check(error)


@given(
    st.dictionaries(st.sampled_from(["call_id", "tier", "storage"]) | secret_keys, values, max_size=4),
    st.sampled_from([None, ["tier"], {"tier": "customer_tier"}]),
)
def test_row_is_planned_or_invalid_without_its_values(row: Any, names: Any) -> None:
    metadata = dict.fromkeys(names, "tier") if isinstance(names, list) else names
    columns = Columns(metadata=metadata, storage_column="storage", custom_attributes={"attr": "attr_1"})
    updates = RecordUpdates(cast("Any", None), columns, CALLS)  # without a server
    try:
        call_id, change = updates.read_row(row)
    except RetellInputError as error:
        check(error)
        return
    planned = updates.plan_row(1, call_id, CallState(call_id=call_id, call_status="ended"), change)
    # The id of the call is shown.
    assert SECRET not in repr(planned).replace(call_id, "")
