"""Stricter values of ``data_storage_setting``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send


def test_the_storage_setting_can_only_become_stricter(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    steps: Any = ["everything", "everything_except_pii", "everything_except_pii", "basic_attributes_only"]
    for step in steps:
        assert client.call.update("call_1", data_storage_setting=step).data_storage_setting == step
    looser: Any
    for looser in ("everything_except_pii", "everything"):
        with pytest.raises(retell.BadRequestError, match="less restrictive"):
            client.call.update("call_1", data_storage_setting=looser)


def test_basic_attributes_only_removes_content_and_keeps_analysis_and_metadata(
    emulator: Emulator, client: Retell, send: Send
) -> None:
    emulator.add_call(call_id="call_1", metadata={"a": 1})
    client.call.update("call_1", data_storage_setting="basic_attributes_only")
    call = json.loads(send(emulator, "GET", "/v2/get-call/call_1").body)
    assert not [name for name in call if "transcript" in name or "recording" in name or "log_url" in name]
    assert call["call_analysis"]
    assert call["metadata"] == {"a": 1}
    assert call["duration_ms"] == 62_000


def test_everything_except_pii_keeps_scrubbed_copies(emulator: Emulator, client: Retell) -> None:
    emulator.add_call(call_id="call_1")
    assert "415 555 0123" in emulator.calls["call_1"]["transcript"]
    client.call.update("call_1", data_storage_setting="everything_except_pii")
    text = json.dumps({k: v for k, v in emulator.calls["call_1"].items() if "transcript" in k})
    assert "555 0123" not in text
    assert "[redacted]" in text
    call = client.call.retrieve("call_1")
    assert call.scrubbed_transcript_with_tool_calls
    assert call.scrubbed_recording_url
    assert call.recording_url is None
    assert call.transcript_with_tool_calls is None


CONTENT = ("transcript", "recording", "log_url", "retrieved_contents")


def content_of(call: dict[str, Any]) -> list[str]:
    return [name for name in call if any(part in name for part in CONTENT)]


def test_a_live_call_that_may_store_basic_attributes_only_ends_without_content(
    emulator: Emulator, client: Retell
) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
    setting: Any = {"data_storage_setting": "basic_attributes_only"}
    client.call.update_live(
        "call_1", fields_to_override=setting, call_control={"additional_context": "The line is bad."}
    )
    emulator.clock.advance(60)
    call = emulator.calls["call_1"]
    assert (call["call_status"], content_of(call)) == ("ended", [])
    assert call["call_analysis"]


def test_an_added_call_has_only_the_content_that_its_storage_setting_allows(emulator: Emulator) -> None:
    call = emulator.add_call(data_storage_setting="basic_attributes_only")
    assert content_of(call) == []
    scrubbed = emulator.add_call(data_storage_setting="everything_except_pii")
    assert "555 0123" not in json.dumps([scrubbed[name] for name in content_of(scrubbed)])
    assert scrubbed["scrubbed_recording_url"]
    given = emulator.add_call(data_storage_setting="basic_attributes_only", transcript="User: Hello\n")
    assert content_of(given) == ["transcript"]


@pytest.mark.parametrize("batch", [False, True])
def test_a_placed_call_stores_what_its_agent_stores(emulator: Emulator, client: Retell, batch: bool) -> None:
    emulator.add_agent(
        agent_id="agent_1", data_storage_setting="basic_attributes_only", opt_in_signed_url=True
    )
    emulator.add_phone_number("+14155550100", outbound_agents=[{"agent_id": "agent_1", "weight": 1}])
    if batch:
        client.batch_call.create_batch_call(from_number="+14155550100", tasks=[{"to_number": "+14155550123"}])
    else:
        client.call.create_phone_call(from_number="+14155550100", to_number="+14155550123")
    emulator.clock.advance(60)
    (call,) = emulator.placed
    assert (call["agent_id"], call["data_storage_setting"]) == ("agent_1", "basic_attributes_only")
    assert (call["call_status"], content_of(call), call["opt_in_signed_url"]) == ("ended", [], True)
