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
