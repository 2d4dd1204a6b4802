"""ChatSensor, in each of Airflow's ways to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sensor_runs import MODES

from airflow_provider_retell.sensors import ChatSensor
from airflow_provider_retell.triggers import ChatTrigger

if TYPE_CHECKING:
    from sensor_runs import SensorRun

    from airflow_provider_retell.emulator import Emulator


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("until", ["ended", "analyzed"])
def test_sensor_waits_and_returns_the_slim_form(
    emulator: Emulator, sensor_run: SensorRun, mode: str, until: Any
) -> None:
    emulator.add_chat(chat_id="chat_1", chat_status="ongoing", progress=True, metadata={"plan": "pro"})
    fields = ("chat_successful",) if until == "analyzed" else ()
    result = sensor_run.run(ChatSensor, mode, chat_id="chat_1", until=until, analysis_fields=fields)
    assert (result["chat_id"], result["chat_status"]) == ("chat_1", "ended")
    assert result["metadata_keys"] == ["plan"]
    assert result.get("analysis") == ({"chat_successful": True} if fields else None)
    assert not {"transcript", "metadata", "chat_analysis"} & result.keys()
    assert until == "ended" or "chat_analysis" in emulator.chats["chat_1"]


def test_transfers_belong_to_calls() -> None:
    with pytest.raises(ValueError, match="until must be"):
        ChatSensor(task_id="wait", chat_id="chat_1", until="transfer_ended")  # type: ignore[arg-type]


def test_the_trigger_is_restored_from_its_arguments() -> None:
    trigger = ChatTrigger(
        chat_id="chat_1", until="analyzed", retell_conn_id="retell", poll_interval=5, deadline=9.0
    )
    path, arguments = trigger.serialize()
    assert path == "airflow_provider_retell.triggers.chat.ChatTrigger"
    assert ChatTrigger(**arguments).serialize() == (path, arguments)
    assert str(trigger.condition()) == "chat chat_1 to be analyzed"
