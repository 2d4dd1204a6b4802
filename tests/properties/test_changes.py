"""Combining new metadata with the call's metadata, and verifying the response."""

from __future__ import annotations

import json
from typing import Any

import pytest
import strategies
from hypothesis import assume, given
from hypothesis import strategies as st
from metadata_model import planned

from airflow_provider_retell.api.calls.endpoints import CallChange
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.api.errors import RetellInputError, UpdateMismatchError
from airflow_provider_retell.api.records.changes import diff, differences, verify

modes = st.sampled_from(["merge", "fill", "replace"])
removed = st.frozensets(strategies.keys, max_size=3)


def call_with(metadata: Any, **fields: Any) -> CallState:
    call = {"call_id": "call_1", "call_status": "ended", "metadata": metadata, **fields}
    return CallState.read(json.dumps(call).encode())


def update(current: Any, wanted: Any, mode: MetadataMode, remove: frozenset[str]) -> tuple[Any, bool]:
    """Return the metadata after an update, on a server that replaces metadata, and whether a request was sent."""
    change, changed = diff(call_with(current), CallChange(metadata=wanted), mode, remove)
    if not change:
        assert changed == ()
        return current, False
    body = json.loads(change.request("call_1").body or b"")
    assert verify(change, call_with(body["metadata"])) == ()
    return body["metadata"], True


@given(st.none() | strategies.objects, st.none() | strategies.objects, modes, removed)
def test_update_brings_a_call_to_the_planned_state(
    current: Any, wanted: Any, mode: MetadataMode, remove: frozenset[str]
) -> None:
    after, sent = update(current, wanted, mode, remove)
    assert same_json(after or {}, planned(current, wanted, mode, remove))
    assert sent == (not same_json(current or {}, after or {}))


@given(st.none() | strategies.objects, st.none() | strategies.objects, modes, removed)
def test_second_update_sends_nothing(
    current: Any, wanted: Any, mode: MetadataMode, remove: frozenset[str]
) -> None:
    after, _ = update(current, wanted, mode, remove)
    assert update(after, wanted, mode, remove) == (after, False)


@given(strategies.server_objects, strategies.objects, st.sampled_from(["merge", "fill"]), removed)
def test_other_metadata_of_the_server_is_kept_or_the_update_is_rejected(
    current: Any, wanted: Any, mode: MetadataMode, remove: frozenset[str]
) -> None:
    try:
        after, sent = update(current, wanted, mode, remove)
    except RetellInputError as error:
        assert "cannot be preserved" in str(error)
        return
    if sent:
        for key in current.keys() - wanted.keys() - remove:
            assert same_json(_as_doubles(current[key]), _as_doubles(after.get(key)))


def _as_doubles(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_int=float)


@given(strategies.objects, strategies.objects, st.sampled_from([None, "everything", "everything_except_pii"]))
def test_every_difference_between_sent_and_stored_metadata_is_reported(
    sent: Any, stored: Any, setting: str | None
) -> None:
    call = call_with(stored, data_storage_setting=setting)
    wrong, unverified = differences(CallChange(metadata=sent), call)
    expected = {
        f"metadata.{key}"
        for key in sent.keys() | stored.keys()
        if not same_json(sent.get(key), stored.get(key))
    }
    assert {*wrong, *unverified} == expected
    assert not set(wrong) & set(unverified)
    if setting != "everything_except_pii":
        assert unverified == ()


@given(strategies.objects, strategies.objects)
def test_update_that_the_server_ignored_raises(current: Any, wanted: Any) -> None:
    change, _ = diff(call_with(current), CallChange(metadata=wanted), "merge")
    assume(change)
    with pytest.raises(UpdateMismatchError):
        verify(change, call_with(current))


@given(
    st.sampled_from(["everything", "everything_except_pii", "basic_attributes_only"]),
    st.sampled_from(["everything", "everything_except_pii", "basic_attributes_only"]),
)
def test_storage_setting_is_sent_only_if_it_differs(current: Any, wanted: Any) -> None:
    order = ["everything", "everything_except_pii", "basic_attributes_only"]
    assume(order.index(wanted) >= order.index(current))
    change, _ = diff(
        call_with({}, data_storage_setting=current), CallChange(data_storage_setting=wanted), "merge"
    )
    assert change.data_storage_setting == (None if wanted == current else wanted)
