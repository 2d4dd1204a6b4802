"""POST /v3/list-calls: bodies, order and pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.calls.conftest import Ids
    from tests.emulator.conftest import Connect, Send

HOUR = 3_600_000


def among(*values: str) -> Any:
    return {"type": "enum", "op": "in", "value": list(values)}


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 1001},
        {"limit": 0},
        {"limit": 1.5},
        {"skip": -1},
        {"skip": 0, "pagination_key": "x"},
        {"pagination_key": "no key of ours"},
        {"sort_order": "up"},
        {"filter": {}},
        [],
    ],
)
def test_an_invalid_body_gets_400(emulator: Emulator, body: Any, send: Send) -> None:
    reply = send(emulator, "POST", "/v3/list-calls", body)
    assert reply.status == 400
    assert reply.json["message"].startswith("body")


def test_the_body_is_optional(three: Emulator, send: Send) -> None:
    reply = send(three, "POST", "/v3/list-calls")
    assert [item["call_id"] for item in reply.json["items"]] == ["web_c", "call_b", "call_a"]
    assert reply.json["has_more"] is False
    assert "total" not in reply.json
    assert "pagination_key" not in reply.json


@pytest.mark.usefixtures("v3_sdk")
def test_items_have_all_fields_except_transcripts(three: Emulator, send: Send, connect: Connect) -> None:
    client = connect(three)
    item: Any
    (item,) = client.call.list(filter_criteria={"call_id": among("call_a")}).items
    raw = send(three, "POST", "/v3/list-calls", {"filter_criteria": {"call_id": among("call_a")}}).json
    assert not [name for name in raw["items"][0] if "transcript" in name]
    assert not {"batch_call_id", "custom_attributes", "tool_calls"} & raw["items"][0].keys()
    assert item.call_analysis.call_summary
    assert item.metadata["plan"] == "pro"
    assert item.recording_url


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("count", [137, 5_500])
@pytest.mark.usefixtures("v3_sdk")
def test_pages_have_every_call_once_in_order(
    emulator: Emulator, order: Any, count: int, connect: Connect
) -> None:
    emulator.add_calls((f"call_{n:05}" for n in range(count)), start_timestamp=HOUR)
    emulator.calls["call_00003"]["call_status"] = "error"
    client = connect(emulator)
    seen: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = client.call.list(
            limit=50 if count < 1000 else 1000,
            sort_order=order,
            include_total=True,
            filter_criteria={"call_status": among("ended")},
            **more,
        )
        assert page.total == count - 1
        seen += [call.call_id for call in page.items]
        if not page.has_more:
            break
        more = {"pagination_key": page.pagination_key}
    expected = [f"call_{n:05}" for n in range(count) if n != 3]
    assert seen == (expected if order == "ascending" else expected[::-1])


def test_added_and_deleted_calls_do_not_shift_pages(emulator: Emulator, send: Send, ids: Ids) -> None:
    emulator.add_calls(f"call_{n}" for n in range(6))
    page = send(emulator, "POST", "/v3/list-calls", {"limit": 3}).json
    assert [item["call_id"] for item in page["items"]] == ["call_5", "call_4", "call_3"]
    emulator.add_call(call_id="call_new")
    del emulator.calls["call_3"]
    assert ids(emulator, pagination_key=page["pagination_key"]) == ["call_2", "call_1", "call_0"]


def test_a_page_has_50_calls_by_default_and_skip_leaves_calls_out(emulator: Emulator, ids: Ids) -> None:
    emulator.add_calls(f"call_{n:03}" for n in range(120))
    assert len(ids(emulator)) == 50
    assert ids(emulator, skip=118) == ["call_001", "call_000"]
    assert ids(emulator, skip=500) == []


def test_a_filter_by_ids_does_not_scan_all_calls(emulator: Emulator, send: Send) -> None:
    emulator.add_calls((f"call_{n}" for n in range(50_000)), metadata={})
    body = {"filter_criteria": {"call_id": among("call_7", "call_70", "call_700")}, "limit": 1000}
    send(emulator, "POST", "/v3/list-calls", body)
    # CPU time of client and server, so that other processes on a busy machine do not count.
    started = time.process_time()
    for _ in range(20):
        assert send(emulator, "POST", "/v3/list-calls", body).json["items"]
    # Scanning 50,000 calls takes more than 10 ms; reading three by id takes far less.
    assert (time.process_time() - started) / 20 < 0.01


def test_calls_of_another_organization_are_not_listed(emulator: Emulator, send: Send, ids: Ids) -> None:
    emulator.add_call(call_id="call_1")
    emulator.add_organization("other", api_key="key_other").add_call(call_id="call_2")
    assert ids(emulator) == ["call_1"]
    assert ids(emulator, {"call_id": among("call_1", "call_2")}) == ["call_1"]
    assert (
        send(emulator, "POST", "/v3/list-calls", {}, key="key_other").json["items"][0]["call_id"] == "call_2"
    )
