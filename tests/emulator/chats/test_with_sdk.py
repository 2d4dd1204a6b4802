"""Chats, with the vendor's SDK as the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from retell import APIStatusError

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Connect, Make, Send


def ids(page: Any) -> list[str]:
    return [item.chat_id for item in page.items]


def test_an_ended_chat_has_times_an_analysis_a_cost_and_messages(emulator: Emulator, client: Retell) -> None:
    emulator.add_chat(chat_id="chat_1", metadata={"a": 1}, custom_attributes={"attr_1": "x"})
    chat: Any = client.chat.retrieve("chat_1")
    assert (chat.chat_id, chat.chat_status, chat.chat_type) == ("chat_1", "ended", "api_chat")
    assert (chat.metadata, chat.custom_attributes) == ({"a": 1}, {"attr_1": "x"})
    assert chat.end_timestamp > chat.start_timestamp
    assert (chat.chat_analysis.chat_successful, chat.chat_cost.combined_cost) == (True, 1.5)
    assert chat.transcript
    assert chat.message_with_tool_calls[0].role == "agent"


def test_an_update_returns_the_whole_chat(make: Make, connect: Connect) -> None:
    emulator = make(custom_attributes=("attr_1",))
    emulator.add_chat(chat_id="chat_1", metadata={"a": 1}, chat_status="ongoing")
    chat = connect(emulator).chat.update(
        "chat_1",
        metadata={"b": 2},
        custom_attributes={"attr_1": "gold", "unknown": 1},
        data_storage_setting="basic_attributes_only",
        override_dynamic_variables={"name": "Ada"},
    )
    assert (chat.metadata, chat.custom_attributes, chat.transcript) == ({"b": 2}, {"attr_1": "gold"}, None)
    stored = emulator.chats["chat_1"]
    assert stored["data_storage_setting"] == "basic_attributes_only"
    assert stored["overrides"] == {"name": "Ada"}
    connect(emulator).chat.update("chat_1", override_dynamic_variables=None)
    assert emulator.chats["chat_1"]["overrides"] == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data_storage_setting": "everything"}, 400),
        ({"data_storage_setting": "everything_except_pii"}, 400),
        ({"metadata": {"a": "x" * 50_000}}, 400),
        ({"other": 1}, 400),
    ],
)
def test_refused_updates_change_nothing(
    emulator: Emulator, send: Send, body: dict[str, Any], status: int
) -> None:
    before = dict(emulator.add_chat(chat_id="chat_1", data_storage_setting="basic_attributes_only"))
    assert send(emulator, "PATCH", "/update-chat/chat_1", {"metadata": {"b": 1}, **body}).status == status
    assert emulator.chats["chat_1"] == before


def test_lists_are_filtered_sorted_and_cut_into_pages(emulator: Emulator, client: Retell) -> None:
    for n in range(5):
        emulator.add_chat(
            chat_id=f"chat_{n}",
            start_timestamp=1000 + n,
            chat_status="ongoing" if n == 3 else "ended",
            custom_attributes={"attr_1": n},
        )
    first = client.chat.list(limit=2, sort_order="ascending")
    assert (ids(first), first.has_more) == (["chat_0", "chat_1"], True)
    assert first.items[0].transcript is None
    second = client.chat.list(limit=2, sort_order="ascending", pagination_key=first.pagination_key or "")
    assert ids(second) == ["chat_2", "chat_3"]
    found = client.chat.list(
        filter_criteria={"chat_id": {"type": "enum", "op": "in", "value": ["chat_4", "other", "chat_1"]}},
        include_total=True,
    )
    assert (ids(found), found.total) == (["chat_4", "chat_1"], 2)
    ongoing = client.chat.list(
        filter_criteria={"chat_status": {"type": "enum", "op": "in", "value": ["ongoing"]}}
    )
    assert ids(ongoing) == ["chat_3"]
    high = client.chat.list(
        filter_criteria={
            "custom_attributes": [{"type": "number", "op": "ge", "key": "attr_1", "value": 4}],
            "chat_successful": {"type": "boolean", "op": "eq", "value": True},
            "start_timestamp": {"type": "range", "op": "bt", "value": [0, 2000]},
        }
    )
    assert ids(high) == ["chat_4"]


def test_there_is_no_filter_on_the_metadata(emulator: Emulator, send: Send) -> None:
    criteria = {"metadata": [{"type": "present", "op": "np", "key": "a"}]}
    reply = send(emulator, "POST", "/v3/list-chats", {"filter_criteria": criteria})
    assert reply.status == 400


def test_a_chat_that_is_ended_gets_its_analysis_later(emulator: Emulator, client: Retell) -> None:
    emulator.add_chat(chat_id="chat_1", chat_status="ongoing")
    client.chat.end("chat_1")
    chat = client.chat.retrieve("chat_1")
    assert (chat.chat_status, chat.chat_analysis) == ("ended", None)
    emulator.clock.advance(emulator.options.lifecycle.analyze)
    assert client.chat.retrieve("chat_1").chat_analysis is not None
    with pytest.raises(APIStatusError) as refused:
        client.chat.end("chat_1")
    assert refused.value.status_code == 400


def test_a_repeated_analysis_is_charged(emulator: Emulator, client: Retell) -> None:
    emulator.add_chat(chat_id="chat_1")
    chat = client.chat.rerun_analysis("chat_1")
    assert chat.chat_analysis is not None
    assert str(chat.chat_analysis.chat_summary).endswith("(analysis run 2)")
    assert emulator.chat_reruns == 1
    emulator.edit_chat("chat_1", chat_status="ongoing")
    with pytest.raises(APIStatusError):
        client.chat.rerun_analysis("chat_1")
    assert emulator.chat_reruns == 1


def test_a_deleted_chat_is_unknown(emulator: Emulator, client: Retell) -> None:
    emulator.add_chat(chat_id="chat_1")
    client.chat.delete("chat_1")
    for request in (client.chat.retrieve, client.chat.delete, client.chat.end, client.chat.rerun_analysis):
        with pytest.raises(APIStatusError) as unknown:
            request("chat_1")
        assert unknown.value.status_code == 422
    assert emulator.chats == {}


def test_tests_add_and_edit_chats(emulator: Emulator) -> None:
    emulator.add_chats(["chat_1", "chat_2"], metadata={"a": 1})
    assert "transcript" not in emulator.chats["chat_1"]
    emulator.edit_chat("chat_1", metadata={"b": 2})
    assert emulator.chats["chat_2"]["metadata"] == {"a": 1}
    with pytest.raises(ValueError, match="exists already"):
        emulator.add_chat(chat_id="chat_1")
    with pytest.raises(ValueError, match="chat_status must be one of"):
        emulator.add_chat(chat_status="registered")
    with pytest.raises(ValueError, match="chat_id must not change"):
        emulator.organization.chat_backend.edit("chat_1", chat_id="chat_3")
    with pytest.raises(LookupError, match="no chat 'other'"):
        emulator.edit_chat("other", metadata={})
    emulator.reset()
    assert emulator.chats == {}
