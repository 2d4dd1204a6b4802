"""Unusual but valid JSON is parsed; incomplete JSON is not."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from airflow_provider_retell.api.calls.models import Call, CallPage, CallState
from airflow_provider_retell.api.event_payload import event_name, event_payload
from airflow_provider_retell.api.parsing import RepairedText, is_truncated, loads, no_result
from airflow_provider_retell.api.response_model import Page, ResponseModel


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}", b"null", b'""', b"[1]", b'{"status": "success"}'])
def test_an_empty_body_or_json_is_no_result(body: bytes) -> None:
    no_result(body)


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"OK", b'{"a": ', b"\xff"])
def test_any_other_body_is_not_retells_answer(body: bytes) -> None:
    with pytest.raises(ValidationError) as caught:
        no_result(body)
    assert is_truncated(caught.value)


HALF = "half \ud83d"
ENDED = {"call_status": "ended"}


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    body = json.dumps({"call_id": "a", **ENDED, "transcript": HALF, "metadata": {HALF: [HALF, "\U0001f600"]}})
    read = Call.read(body.encode())
    assert read.transcript == "half \ufffd"
    assert read.metadata == {"half \ufffd": ["half \ufffd", "\U0001f600"]}
    assert json.dumps(read.slim(), ensure_ascii=False).encode()


@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_limited(opened: bytes, closed: bytes) -> None:
    assert loads(opened * 199 + b"[1]" + closed * 199) is not None
    for depth in (200, 100_000):
        with pytest.raises(ValueError, match="^JSON is nested more than 200 levels deep$"):
            loads(opened * depth + b"[1]" + closed * depth)


def test_integer_of_400_digits_is_exact_and_a_longer_one_is_a_double() -> None:
    digits = "12" * 200
    assert loads(digits.encode()) == int(digits)
    assert type(loads(b"123")) is int
    assert loads(digits.encode() + b"3") == float("inf")


def test_malformed_object_without_a_field_has_a_repr() -> None:
    class Thing(ResponseModel):
        loggable = ("thing_id", "status")
        thing_id: str
        status: str

    assert (
        repr(Thing.model_construct(thing_id="a"))
        == str(Thing.model_construct(thing_id="a"))
        == "Thing(thing_id='a')"
    )


def test_malformed_item_has_neither_an_access_token_nor_private_attributes() -> None:
    call = {
        "call_id": "a",
        **ENDED,
        "metadata": [1],
        "access_token": "private",
        "_fields_set": ["x"],
        "more": 1,
    }
    (item,) = CallPage.read(json.dumps({"items": [call]}).encode()).items
    assert (item.call_id, item.metadata, item.more) == ("a", [1], 1)
    assert "access_token" not in item.model_dump(warnings=False)
    assert "metadata" in item.model_fields_set


def test_only_repaired_text_is_marked_as_repaired() -> None:
    value = loads(json.dumps([HALF, "whole"]).encode())
    assert [type(text) for text in value] == [RepairedText, str]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"call_id": "a', b'{"call_id": "\\ud83d", "call_st', b"<html>", b'"\xff"', b"[" * 100_000],
)
def test_incomplete_json_is_reported_as_truncated(body: bytes) -> None:
    for model in (Call, CallPage):
        with pytest.raises(ValidationError) as error:
            model.read(body)
        assert error.value.errors()[0]["type"] == "json_invalid"
        assert is_truncated(error.value)


def test_complete_json_of_another_form_is_not_reported_as_truncated() -> None:
    with pytest.raises(ValidationError) as error:
        Call.read(b'{"call_id": "a"}')
    assert not is_truncated(error.value)


def test_number_with_thousands_of_digits_is_parsed() -> None:
    body = '{"call_id": "a", "call_status": "ended", "metadata": {"n": ' + "9" * 5000 + "}}"
    assert CallState.read(body.encode()).metadata == {"n": float("inf")}


def test_malformed_item_of_a_page_does_not_hide_the_others() -> None:
    calls = [{"call_id": name, **ENDED} for name in "abc"]
    calls[1]["metadata"] = [1]
    calls[2]["metadata"] = {"x": HALF}
    body = json.dumps({"items": calls, "has_more": True, "pagination_key": "k"}).encode()
    for model in (CallPage, Page[CallState]):
        page = model.read(body)
        assert [call.call_id for call in page.items] == ["a", "b", "c"]
        assert page.malformed == {"b": "metadata is not as the API documents it (dict_type)"}
        assert (page.has_more, page.pagination_key) == (True, "k")
        assert page.items[2].metadata == {"x": "half \ufffd"}


def test_malformed_item_keeps_no_access_token() -> None:
    item = {"call_id": "a", **ENDED, "metadata": [1], "access_token": "token_private"}
    page = CallPage.read(json.dumps({"items": [item]}).encode())
    assert list(page.malformed) == ["a"]
    assert "token_private" not in repr(page.items[0].__dict__)


@pytest.mark.parametrize("item", [None, "a", {}, {"call_id": 7, **ENDED}, {"call_id": "a"}])
def test_item_without_id_and_status_makes_the_page_invalid(item: object) -> None:
    with pytest.raises(ValidationError):
        CallPage.read(json.dumps({"items": [{"call_id": "a", **ENDED}, item]}).encode())


def test_webhook_event_with_half_a_surrogate_pair_is_parsed() -> None:
    body = json.dumps({"event": "call_ended", "call": {"call_id": "a", **ENDED, "transcript": HALF}}).encode()
    assert event_name(body) == "call_ended"
    assert event_payload(body, "call")["calls"][0]["call_id"] == "a"
