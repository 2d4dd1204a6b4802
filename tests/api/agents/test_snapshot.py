"""The files of a snapshot."""

from __future__ import annotations

from typing import Any

from fake_hook import FakeHook

from airflow_provider_retell.api.agents.snapshot import read_snapshot
from airflow_provider_retell.api.errors import NotFoundError

GONE = NotFoundError("gone", status=404)


def page(*items: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    return {"items": items, "has_more": key is not None, "pagination_key": key}


def test_agent_that_is_deleted_before_it_is_read_is_left_out(caplog: Any) -> None:
    hook = FakeHook(page({"agent_id": "agent_1", "channel": "voice"}), GONE, page())
    assert hook.run(read_snapshot()) == {"phone_numbers.json": []}
    assert hook.operations == ["list-agents", "get-agent", "list-phone-numbers"]
    assert "Agent agent_1 was deleted before it was read" in caplog.text


def test_engine_that_retell_does_not_name_has_an_empty_file() -> None:
    agent = {
        "agent_id": "agent_1",
        "version": 0,
        "is_published": True,
        "agent_name": "Desk",
        "a_timestamp": 1,
    }
    agent |= {"response_engine": {"type": "retell-llm", "llm_id": "llm_1", "version": 0}}
    hook = FakeHook(page({"agent_id": "agent_1", "channel": "chat"}), agent, agent, GONE, page())
    files = hook.run(read_snapshot(["agent_1"]))
    assert files["agents/agent_1/llm.json"] == {"published": None, "draft": None}
    assert files["agents/agent_1/test_cases.json"] == []
    file = files["agents/agent_1/agent.json"]
    assert (file["channel"], file["draft"], file["published"]["agent_name"]) == ("chat", None, "Desk")
    assert not {"is_published", "a_timestamp"} & set(file["published"])
    assert hook.operations[1:] == ["get-chat-agent"] * 2 + ["get-retell-llm", "list-phone-numbers"]
