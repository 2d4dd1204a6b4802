"""Changes of a call: planned as differences, and verified in the response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_retell.api.calls.endpoints import CallChange
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.errors import RetellInputError, StorageConflictError, UpdateMismatchError
from airflow_provider_retell.api.records.changes import (
    check_storage,
    diff,
    differences,
    mismatch,
    verify,
)


def call(**fields: Any) -> CallState:
    return CallState.read(json.dumps({"call_id": "call_1", "call_status": "ended", **fields}).encode())


@pytest.mark.parametrize(
    ("wanted", "mode", "remove", "metadata", "changed"),
    [
        ({"b": 2}, "merge", {"a"}, {"b": 2}, ("a", "b")),
        (None, "merge", {"a"}, {}, ("a",)),
        (None, "merge", {"other"}, None, ()),
        (None, "replace", set(), None, ()),
        ({"b": 2}, "replace", set(), {"b": 2}, ("a", "b")),
        ({"a": 9, "b": 2}, "fill", {"a"}, {"b": 2}, ("a", "b")),
    ],
)
def test_diff_sends_the_target_metadata_only_if_it_differs(
    wanted: Any, mode: Any, remove: Any, metadata: Any, changed: Any
) -> None:
    change, keys = diff(call(metadata={"a": 1}), CallChange(metadata=wanted), mode, frozenset(remove))
    assert change.metadata == metadata
    assert keys == changed
    assert bool(change) is (metadata is not None)


def test_diff_leaves_out_an_equal_setting_and_always_sends_custom_attributes() -> None:
    wanted = CallChange(data_storage_setting="everything", custom_attributes={"attr": 1})
    current = call(data_storage_setting="everything", custom_attributes={"attr": 1})
    assert diff(current, wanted, "merge")[0] == CallChange(custom_attributes={"attr": 1})


@pytest.mark.parametrize("odd", ["half \ud83d", {"half \ud83d": 1}, [["half \ud83d"]], 10**400, -(10**310)])
def test_metadata_that_cannot_be_sent_back_must_be_set_removed_or_replaced(odd: object) -> None:
    current = call(metadata={"odd": odd, "n": 1})
    for mode in ("merge", "fill"):
        with pytest.raises(RetellInputError, match="it cannot be preserved: .* or replace all metadata"):
            diff(current, CallChange(metadata={"new": 1}), mode)
        change, _ = diff(current, CallChange(metadata={"n": 1}), mode)
        assert not change  # nothing differs, so nothing is sent
    change, keys = diff(current, CallChange(metadata={"odd": 1}), "merge")
    assert (change.metadata, keys) == ({"odd": 1, "n": 1}, ("odd",))
    change, _ = diff(current, CallChange(metadata={"new": 1}), "merge", frozenset({"odd"}))
    assert change.metadata == {"new": 1, "n": 1}
    assert diff(current, CallChange(metadata={"new": 1}), "replace")[0].metadata == {"new": 1}


@pytest.mark.parametrize("mode", ["merge", "fill", "replace"])
def test_replacement_character_in_new_metadata_is_sent(mode: Any) -> None:
    wanted = {"a": {"half \ufffd": "\ufffd"}, "\ufffd": 1}
    change, _ = diff(call(metadata={}), CallChange(metadata=wanted), mode)
    assert change.metadata == wanted


@pytest.mark.parametrize(
    ("current", "wanted", "allowed"),
    [
        ("everything", "everything_except_pii", True),
        ("everything", "basic_attributes_only", True),
        ("everything_except_pii", "everything_except_pii", True),
        ("everything_except_pii", "everything", False),
        ("basic_attributes_only", "everything_except_pii", False),
        ("basic_attributes_only", "everything", False),
        (None, "everything", True),
        ("a setting of the future", "everything", True),
    ],
)
def test_storage_setting_can_only_become_stricter(current: Any, wanted: Any, allowed: bool) -> None:
    if allowed:
        check_storage(call(data_storage_setting=current), wanted)
        return
    with pytest.raises(StorageConflictError, match=f"call call_1: data_storage_setting is {current}"):
        check_storage(call(data_storage_setting=current), wanted)


@pytest.mark.parametrize(
    ("sent", "response", "wrong", "unverified"),
    [
        (CallChange(metadata={"a": 1}), {"metadata": {"a": 1.0}}, (), ()),
        (CallChange(metadata={"a": 1}), {}, ("metadata.a",), ()),
        (CallChange(metadata={}), {"metadata": {"b": 1}}, ("metadata.b",), ()),
        (
            CallChange(metadata={"a": "Ada"}),
            {"metadata": {"a": "[NAME]", "b": 1}, "data_storage_setting": "everything_except_pii"},
            ("metadata.b",),
            ("metadata.a",),
        ),
        (CallChange(data_storage_setting="everything"), {"data_storage_setting": "everything"}, (), ()),
        (
            CallChange(data_storage_setting="basic_attributes_only"),
            {"data_storage_setting": "everything"},
            ("data_storage_setting",),
            (),
        ),
        (CallChange(data_storage_setting="everything"), {}, (), ("data_storage_setting",)),
        (CallChange(custom_attributes={"a": 1}), {}, (), ("custom_attributes.a",)),
        (CallChange(custom_attributes={"a": 1}), {"custom_attributes": {"a": 1}}, (), ()),
        (
            CallChange(custom_attributes={"a": 1}),
            {"custom_attributes": {"a": True}},
            ("custom_attributes.a",),
            (),
        ),
    ],
)
def test_response_is_compared_with_the_change(
    sent: CallChange, response: Any, wrong: tuple[str, ...], unverified: tuple[str, ...]
) -> None:
    assert differences(sent, call(**response)) == (wrong, unverified)
    if wrong:
        with pytest.raises(UpdateMismatchError) as caught:
            verify(sent, call(**response))
        assert caught.value.fields == wrong
    else:
        assert verify(sent, call(**response)) == unverified


@pytest.mark.parametrize(
    ("sent", "wrong", "hint"),
    [
        (CallChange(metadata={"a": 1}), ("metadata.b",), "Retell merges instead of replacing"),
        (
            CallChange(custom_attributes={"a": 1}),
            ("custom_attributes.a",),
            "must be defined in Retell's dashboard",
        ),
        (CallChange(metadata={"a": 1}), ("metadata.a",), "Read the call and compare"),
    ],
)
def test_mismatch_names_the_fields_and_the_likely_cause(sent: CallChange, wrong: Any, hint: str) -> None:
    error = mismatch("call_1", sent, wrong)
    assert str(error).startswith("call call_1: Retell accepted the update, but")
    assert wrong[0] in str(error)
    assert hint in str(error)


def test_change_prints_no_values_and_is_false_if_it_changes_nothing() -> None:
    assert "pr1vate" not in repr(CallChange(metadata={"a": "pr1vate"}, custom_attributes={"b": "pr1vate"}))
    assert not CallChange()
    assert not CallChange(custom_attributes={})
    assert CallChange(metadata={})


def test_names_of_a_change_are_its_fields() -> None:
    change = CallChange(metadata={"a": 1}, data_storage_setting="everything", custom_attributes={"b": 1})
    assert change.names(["a"]) == ("metadata.a", "data_storage_setting", "custom_attributes.b")
