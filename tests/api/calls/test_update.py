"""Checked updates as flows, without a network. For the same over sockets see tests/hooks/test_update_checked.py."""

from __future__ import annotations

import json
from collections import UserDict
from decimal import Decimal
from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api import body
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.calls.update import update_call_checked
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records import changes
from airflow_provider_retell.api.records.update import prepare_update

ENDED = {"call_id": "call_1", "call_status": "ended"}


class CountingMapping(UserDict[str, Any]):
    """A mapping that counts how often its values are read."""

    reads = 0

    def __getitem__(self, key: str) -> Any:
        self.reads += 1
        return super().__getitem__(key)


@pytest.mark.parametrize(
    ("options", "operations"),
    [
        ({"metadata_mode": "replace"}, ["update-call"]),
        ({"metadata_mode": "merge"}, ["get-call", "update-call"]),
        ({"metadata_mode": "fill", "remove_metadata_keys": ["old"]}, ["get-call", "update-call"]),
    ],
    ids=lambda value: value.get("metadata_mode") if isinstance(value, dict) else None,
)
def test_checked_update_converts_every_value_once(
    options: dict[str, Any], operations: list[str], mocker: Any
) -> None:
    convert, convert_again = mocker.spy(changes, "to_json"), mocker.spy(body, "to_json")
    inner = CountingMapping({"score": Decimal("0.5")})
    outer = CountingMapping({"score": [inner]})
    reads = [{**ENDED, "metadata": {}}] if "get-call" in operations else []
    hook = FakeHook(*reads, {**ENDED, "metadata": {"score": [{"score": 0.5}]}})
    result = hook.run(update_call_checked("call_1", metadata=outer, **options))
    assert hook.operations == operations
    assert json.loads(hook.requests[-1].body) == {"metadata": {"score": [{"score": 0.5}]}}
    assert result.written == ("metadata.score",)
    assert (outer.reads, inner.reads) == (1, 1)
    assert (convert.call_count, convert_again.call_count) == (1, 0)


def test_update_call_converts_every_value_once() -> None:
    metadata = CountingMapping({"score": Decimal("0.5")})
    attributes = CountingMapping({"score": True})
    request = endpoints.update_call("call_1", metadata=metadata, custom_attributes=attributes)
    assert json.loads(request.body) == {"metadata": {"score": 0.5}, "custom_attributes": {"score": True}}
    assert (metadata.reads, attributes.reads) == (1, 1)


def test_prepared_update_can_be_applied_more_than_once() -> None:
    prepared = prepare_update(CALLS, "call_1", metadata={"a": 1})
    for _ in range(2):
        hook = FakeHook({**ENDED, "metadata": {"b": 2}}, {**ENDED, "metadata": {"a": 1, "b": 2}})
        assert hook.run(prepared.apply()).sent
        assert hook.operations == ["get-call", "update-call"]


@pytest.mark.parametrize(
    ("options", "reads_first"),
    [
        ({"metadata": {"a": 1}}, True),
        ({"metadata": {"a": 1}, "metadata_mode": "fill"}, True),
        ({"metadata": {"a": 1}, "metadata_mode": "replace"}, False),
        ({"data_storage_setting": "everything", "metadata_mode": "replace"}, False),
        ({"clear_metadata": True, "metadata_mode": "replace"}, True),
        ({"clear_metadata": True}, True),
        ({"remove_metadata_keys": ["a"], "metadata_mode": "replace"}, True),
        ({"metadata": {"a": 1}, "remove_metadata_keys": ["b"], "metadata_mode": "replace"}, False),
    ],
)
def test_call_is_read_first_unless_replacing_needs_no_current_values(
    options: dict[str, Any], reads_first: bool
) -> None:
    assert prepare_update(CALLS, "call_1", **options).reads_first is reads_first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "set metadata, data_storage_setting or custom_attributes"),
        (
            {"metadata_mode": "overwrite", "metadata": {"a": 1}},
            "metadata_mode must be one of merge, fill, replace",
        ),
        (
            {"metadata_mode": "replace", "metadata": {}},
            "metadata is empty, and metadata_mode='replace' would delete",
        ),
        (
            {"metadata": {"a": 1, "b": 2}, "remove_metadata_keys": ["b", "c"]},
            "has keys that metadata sets: b",
        ),
        (
            {"metadata": {"+1 415 555 0123": 1}, "remove_metadata_keys": ["+1 415 555 0123"]},
            r"has keys that metadata sets: \[\.\.\]",
        ),
        ({"metadata": {"a": {1, 2}}}, "metadata.a is a set"),
        ({"metadata": {"a": "x" * 50_001}, "metadata_mode": "merge"}, "50 kB"),
    ],
)
def test_invalid_input_is_rejected_before_the_flow_starts(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RetellInputError, match=message):
        prepare_update(CALLS, "call_1", **options)


def test_removing_missing_keys_sends_no_update() -> None:
    hook = FakeHook({**ENDED, "metadata": {"a": 1}})
    result = hook.run(update_call_checked("call_1", remove_metadata_keys=["b"]))
    assert (result.sent, result.written) == (False, ())
    assert hook.operations == ["get-call"]


def test_clearing_metadata_that_is_empty_sends_no_update() -> None:
    hook = FakeHook({**ENDED, "metadata": {}})
    assert not hook.run(update_call_checked("call_1", clear_metadata=True)).sent
