"""Answers that are legal JSON and odd nevertheless."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from airflow_provider_retell.api.calls.changes import Change, needed
from airflow_provider_retell.api.calls.models import Call, CallPage, CallState, CallStatePage
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.event_payload import event_name, event_payload

HALF = "half \ud83d"
ENDED = {"call_status": "ended"}


def call(**fields: object) -> CallState:
    return CallState.read(json.dumps({"call_id": "a", **ENDED, **fields}).encode())


def test_half_an_emoji_becomes_the_mark_for_it() -> None:
    body = json.dumps({"call_id": "a", **ENDED, "transcript": HALF, "metadata": {HALF: [HALF, "\U0001f600"]}})
    read = Call.read(body.encode())
    assert read.transcript == "half \ufffd"
    assert read.metadata == {"half \ufffd": ["half \ufffd", "\U0001f600"]}
    assert json.dumps(read.slim(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"call_id": "a', b'{"call_id": "\\ud83d", "call_st', b"<html>", b'"\xff"', b"[" * 100_000],
)
def test_what_is_cut_off_stays_broken(body: bytes) -> None:
    for model in (Call, CallPage):
        with pytest.raises(ValidationError) as error:
            model.read(body)
        assert error.value.errors()[0]["type"] == "json_invalid"


@pytest.mark.parametrize("odd", [HALF, {HALF: 1}, [[HALF]], 10**400, -(10**310)])
def test_what_cannot_be_sent_back_is_refused_unless_it_goes(odd: object) -> None:
    now = call(metadata={"odd": odd, "n": 1})
    for mode in ("merge", "fill"):
        with pytest.raises(RetellInputError, match="cannot be kept as it is"):
            needed(now, Change(metadata={"new": 1}), mode)
        change, _ = needed(now, Change(metadata={"n": 1}), mode)
        assert not change  # nothing changes, so nothing is sent
    change, keys = needed(now, Change(metadata={"odd": 1}), "merge")
    assert (change.metadata, keys) == ({"odd": 1, "n": 1}, ("odd",))
    change, _ = needed(now, Change(metadata={"new": 1}), "merge", frozenset({"odd"}))
    assert change.metadata == {"new": 1, "n": 1}
    assert needed(now, Change(metadata={"new": 1}), "replace")[0].metadata == {"new": 1}


def test_a_number_of_thousands_of_digits_is_read() -> None:
    body = '{"call_id": "a", "call_status": "ended", "metadata": {"n": ' + "9" * 5000 + "}}"
    assert CallState.read(body.encode()).metadata == {"n": float("inf")}


def test_an_odd_call_of_a_page_hides_no_other() -> None:
    calls = [{"call_id": name, **ENDED} for name in "abc"]
    calls[1]["metadata"] = [1]
    calls[2]["metadata"] = {"x": HALF}
    body = json.dumps({"items": calls, "has_more": True, "pagination_key": "k"}).encode()
    for model in (CallPage, CallStatePage):
        page = model.read(body)
        assert [call.call_id for call in page.items] == ["a", "b", "c"]
        assert page.malformed == {"b": "metadata is not as its API documents (dict_type)"}
        assert (page.has_more, page.pagination_key) == (True, "k")
        assert page.items[2].metadata == {"x": "half \ufffd"}


@pytest.mark.parametrize("item", [None, "a", {}, {"call_id": 7, **ENDED}, {"call_id": "a"}])
def test_an_item_that_is_no_call_fails_the_page(item: object) -> None:
    with pytest.raises(ValidationError):
        CallPage.read(json.dumps({"items": [{"call_id": "a", **ENDED}, item]}).encode())


def test_an_event_with_half_an_emoji_is_one() -> None:
    body = json.dumps({"event": "call_ended", "call": {"call_id": "a", **ENDED, "transcript": HALF}}).encode()
    assert event_name(body) == "call_ended"
    assert event_payload(body)["calls"][0]["call_id"] == "a"
