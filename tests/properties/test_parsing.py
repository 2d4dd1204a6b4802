"""Parsing arbitrary bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_retell.api import event_payload, parsing
from airflow_provider_retell.api.calls.models import (
    BatchCall,
    Call,
    CallPage,
    CallState,
    CallSummary,
)
from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.api.records.nouns import NOUNS
from airflow_provider_retell.api.response_model import Page

MODELS = [Call, CallState, CallSummary, CallPage, Page[CallState], BatchCall, Concurrency, ApiKeyInfo]

deep = st.builds(
    lambda depth, opening, closing: opening * depth + closing * depth,
    st.integers(1, 5000),
    st.sampled_from([b"[", b'{"a":', b'{"metadata":']),
    st.sampled_from([b"]", b"}", b""]),
)
huge_numbers = st.builds(
    lambda digits, sign: sign + b"9" * digits, st.integers(1, 9000), st.sampled_from([b"", b"-"])
)
encodings = st.builds(
    lambda value, encoding: json.dumps(value, ensure_ascii=False).encode(encoding, "surrogatepass"),
    strategies.server_values,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-le"]),
)
bodies = st.one_of(st.binary(max_size=50), deep, huge_numbers, encodings)

# An object with the fields of a model, most of them of a wrong type.
_names = st.sampled_from(sorted({name for model in MODELS for name in model.model_fields} | {"a"}))
objects = st.dictionaries(_names, strategies.server_values | st.sampled_from(["call_1", "ended"]), max_size=6)
pages = st.builds(
    lambda items, rest: {**rest, "items": items},
    st.lists(objects | strategies.server_values, max_size=3),
    st.dictionaries(st.sampled_from(["has_more", "pagination_key", "total"]), strategies.server_values),
)


@pytest.mark.parametrize("model", MODELS)
@given(body=bodies | (objects | pages).map(lambda value: json.dumps(value).encode()))
def test_body_is_parsed_or_raises_one_kind_of_error(model: Any, body: bytes) -> None:
    try:
        result = model.read(body)
    except ValidationError as fault:
        parsing.is_truncated(fault)
        assert "documents" in parsing.describe(fault)
    else:
        assert isinstance(result, model)
        str(result)


@pytest.mark.parametrize("model", [Call, CallState, CallSummary])
@given(wrong=objects)
def test_wrong_field_never_hides_the_ids_of_a_call(model: Any, wrong: Any) -> None:
    page = {"items": [{**wrong, "call_id": "call_1", "call_status": "ended"}], "has_more": False}
    kind = CallPage if model is Call else Page[CallState]
    (call,) = kind.read(json.dumps(page).encode()).items
    assert (call.call_id, call.call_status) == ("call_1", "ended")
    assert call.has_ended
    if model is Call:
        assert call.access_token is None
        assert "access_token" not in (call.model_extra or {})


@given(strategies.server_objects)
def test_parsed_metadata_equals_the_metadata_of_the_server(metadata: Any) -> None:
    body = json.dumps({"call_id": "call_1", "call_status": "ended", "metadata": metadata}).encode()
    assert repr(_comparable(Call.read(body).metadata)) == repr(_comparable(metadata))


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_comparable(key): _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, str):
        # Other than parsers, json.dumps may join two halves of a surrogate pair.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


@given(
    bodies
    | st.builds(
        lambda noun, value: json.dumps({"event": f"{noun}_ended", noun: value}).encode(),
        st.sampled_from(NOUNS),
        objects,
    )
)
def test_event_is_read_or_raises_one_kind_of_error(body: bytes) -> None:
    name = event_payload.event_name(body)
    assert name is None or isinstance(name, str)
    try:
        payload = event_payload.event_payload(body, event_payload.noun_of(name or ""))
    except ValidationError:
        return
    # A stored event can be read again.
    assert event_payload.parse_event_payload(json.loads(json.dumps(payload))) == payload
    ((_, summary),) = event_payload.records_in(payload)
    assert all(value is None or isinstance(value, (str, int)) for value in summary.values())


@given(strategies.server_values)
def test_extra_of_other_producers_never_raises(extra: Any) -> None:
    event = event_payload.parse_event_payload(extra)
    assert isinstance(event["event"], str)
    for record_id, summary in event_payload.records_in(event):
        assert isinstance(record_id, str)
        assert isinstance(summary, dict)
