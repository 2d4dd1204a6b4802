"""The operators for one chat: update, read, delete, analyze again."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tasks import run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import (
    DeleteChatOperator,
    GetChatOperator,
    RerunChatAnalysisOperator,
    UpdateChatOperator,
)

NOTE = "Ada's private note"


@pytest.fixture
def ended(emulator: Emulator) -> dict[str, Any]:
    emulator.organization.custom_attributes.add("attr_tier")
    return emulator.add_chat(chat_id="chat_1", metadata={"note": NOTE})


def update(**arguments: Any) -> Any:
    return run_try(UpdateChatOperator(task_id="a_task", **{"chat_id": "chat_1", **arguments}))


def bodies(emulator: Emulator) -> list[Any]:
    return [request.body for request in emulator.requests if request.route == "update-chat"]


# -- update


def test_an_update_merges_metadata_and_sends_only_differences(
    ended: dict[str, Any], emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    result = update(metadata={"tier": "gold"})
    assert (result["chat_id"], result["updated"], result["written"]) == ("chat_1", True, ["metadata.tier"])
    assert emulator.chats["chat_1"]["metadata"] == {"note": NOTE, "tier": "gold"}
    assert update(metadata={"tier": "gold"})["updated"] is False
    assert len(bodies(emulator)) == 1
    assert "Chat chat_1: wrote metadata.tier" in caplog.text
    assert "because the chat already has all values" in caplog.text
    assert NOTE not in f"{caplog.text} {result}"


@pytest.mark.parametrize("semantics", ["merge", "replace"])
@pytest.mark.parametrize("mode", [{}, {"metadata": {"a": 1}, "metadata_mode": "replace"}], ids=str)
def test_other_custom_attributes_of_the_chat_are_kept(
    ended: dict[str, Any], emulator: Emulator, semantics: str, mode: dict[str, Any]
) -> None:
    emulator.options.chats.custom_attributes_semantics = semantics
    emulator.organization.custom_attributes.update(["attr_other", "attr_flag"])
    emulator.edit_chat("chat_1", custom_attributes={"attr_other": NOTE, "attr_flag": True})
    result = update(custom_attributes={"attr_tier": "gold", "attr_flag": True}, **mode)
    metadata = ["metadata.a", "metadata.note"] if mode else []
    assert result["written"] == [*metadata, "custom_attributes.attr_tier"]
    assert emulator.chats["chat_1"]["custom_attributes"] == {
        "attr_other": NOTE,
        "attr_flag": True,
        "attr_tier": "gold",
    }
    again = update(custom_attributes={"attr_tier": "gold", "attr_flag": True}, **mode)
    assert (again["updated"], len(bodies(emulator))) == (False, 1)


def test_an_undefined_custom_attribute_fails_the_task(ended: dict[str, Any]) -> None:
    with pytest.raises(
        AirflowFailException, match=r"Custom attributes must be defined in Retell's dashboard"
    ):
        update(custom_attributes={"attr_typo": "gold"})


@pytest.mark.usefixtures("whole_log")
def test_dynamic_variables_are_overridden_and_cleared(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_chat(chat_id="chat_1", chat_status="ongoing")
    written = update(override_dynamic_variables={"name": NOTE})["written"]
    assert written == ["override_dynamic_variables.name"]
    assert emulator.chats["chat_1"]["overrides"] == {"name": NOTE}
    assert "does not show whether it stored override_dynamic_variables.name" in caplog.text
    assert NOTE not in caplog.text
    update(clear_dynamic_variables=True)
    assert emulator.chats["chat_1"]["overrides"] == {}
    assert bodies(emulator)[-1] == {"override_dynamic_variables": None}


def test_a_storage_setting_of_calls_is_rejected_before_anything_is_sent(
    ended: dict[str, Any], emulator: Emulator
) -> None:
    with pytest.raises(ValueError, match="data_storage_setting must be"):
        UpdateChatOperator(
            task_id="a_task",
            chat_id="chat_1",
            data_storage_setting="everything_except_pii",
        )
    with pytest.raises(AirflowFailException, match="data_storage_setting"):
        run_try(
            UpdateChatOperator(task_id="a_task", chat_id="chat_1", data_storage_setting="{{ setting }}"),
            setting="everything_except_pii",
        )
    assert not bodies(emulator)


def test_an_update_without_values_is_rejected() -> None:
    with pytest.raises(ValueError, match="override_dynamic_variables or clear_dynamic_variables"):
        UpdateChatOperator(task_id="a_task", chat_id="chat_1")


@pytest.mark.usefixtures("no_sleep")
@pytest.mark.parametrize("until", ["ended", "analyzed"])
def test_the_update_follows_the_wait(emulator: Emulator, until: Any) -> None:
    emulator.add_chat(chat_id="chat_1", chat_status="ongoing", progress=True)
    fields = ["user_sentiment", "intent"] if until == "analyzed" else []
    result = update(metadata={"tier": "gold"}, wait_until=until, analysis_fields=fields, deferrable=False)
    assert (result["chat_status"], result["updated"]) == ("ended", True)
    assert result.get("analysis") == (
        {"user_sentiment": "Positive", "intent": "order_status"} if until == "analyzed" else None
    )


# -- read


def test_get_returns_ids_status_cost_and_keys_only(ended: dict[str, Any]) -> None:
    result = run_try(GetChatOperator(task_id="a_task", chat_id="{{ which }}"), which="chat_1")
    assert result == {
        "chat_id": "chat_1",
        "chat_status": "ended",
        "chat_type": "api_chat",
        "agent_id": ended["agent_id"],
        "start_timestamp": ended["start_timestamp"],
        "end_timestamp": ended["end_timestamp"],
        "chat_cost": {"cents": 1.5},
        "metadata_keys": ["note"],
    }


def test_get_writes_the_whole_chat(ended: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    result = run_try(
        GetChatOperator(
            task_id="a_task", chat_id="chat_1", path=str(path), analysis_fields=["chat_successful"]
        )
    )
    assert (result["path"], result["analysis"]) == (str(path), {"chat_successful": True})
    whole = json.loads(path.read_text())
    assert whole == {name: ended[name] for name in whole}
    assert {"transcript", "message_with_tool_calls", "metadata"} < set(whole)


def test_the_summary_is_not_an_analysis_field() -> None:
    with pytest.raises(ValueError, match=r"chat_summary.*GetChatOperator\(path=...\)"):
        GetChatOperator(task_id="a_task", chat_id="chat_1", analysis_fields=["chat_summary"])


# -- delete and analyze again


def test_a_chat_is_deleted_once(ended: dict[str, Any], emulator: Emulator) -> None:
    task = DeleteChatOperator(task_id="a_task", chat_id="chat_1", dry_run="{{ dry_run }}")
    assert run_try(task, dry_run=True) == {
        "chat_id": "chat_1",
        "deleted": False,
        "would_delete": True,
        "chat_status": "ended",
    }
    for deleted in (True, False):
        task = DeleteChatOperator(task_id="a_task", chat_id="chat_1")
        assert run_try(task) == {"chat_id": "chat_1", "deleted": deleted}
    assert emulator.chats == {}


def test_a_refusal_to_delete_an_ongoing_chat_names_the_next_step(emulator: Emulator) -> None:
    emulator.add_chat(chat_id="chat_1", chat_status="ongoing")
    emulator.faults.add(Fault.status(422), route="delete-chat")
    with pytest.raises(
        Exception, match="chat chat_1 is ongoing, and Retell refused .* with ChatSensor or a retry"
    ):
        run_try(DeleteChatOperator(task_id="a_task", chat_id="chat_1"))


def test_an_analysis_is_requested_at_most_once(ended: dict[str, Any], emulator: Emulator) -> None:
    task = RerunChatAnalysisOperator(task_id="a_task", chat_id="chat_1")
    assert run_try(task)["chat_id"] == "chat_1"
    assert emulator.chat_reruns == 1
    emulator.faults.add(Fault.drop_after(), route="rerun-chat-analysis", times=0)
    with pytest.raises(AirflowFailException, match="Check the chat's analysis in Retell's dashboard"):
        run_try(RerunChatAnalysisOperator(task_id="b_task", chat_id="chat_1"))
    assert emulator.chat_reruns == 2
