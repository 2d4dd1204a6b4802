"""Conditions on a chat."""

from __future__ import annotations

from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.chats.waits import ChatReached
from airflow_provider_retell.api.choices import ChatUntil

ANALYSIS = {"chat_summary": "private", "user_sentiment": "Positive"}


@pytest.mark.parametrize(
    ("until", "chat", "done"),
    [
        ("ended", {"chat_status": "ongoing"}, False),
        ("ended", {"chat_status": "ended"}, True),
        ("ended", {"chat_status": "error"}, True),
        ("analyzed", {"chat_status": "ended"}, False),
        ("analyzed", {"chat_status": "ended", "chat_analysis": ANALYSIS}, True),
    ],
)
def test_chat_has_ended_or_has_an_analysis(until: ChatUntil, chat: dict[str, Any], done: bool) -> None:
    hook = FakeHook({"chat_id": "chat_1", "transcript": "private", **chat})
    poll = hook.run(ChatReached("chat_1", until).poll())
    assert hook.operations == ["get-chat"]
    assert (poll.done, poll.state) == (done, chat["chat_status"])
    assert poll.result == {"chat_id": "chat_1", "chat_status": chat["chat_status"], "metadata_keys": []}


def test_result_has_the_fields_of_the_analysis_that_are_asked_for() -> None:
    hook = FakeHook({"chat_id": "chat_1", "chat_status": "ended", "chat_analysis": ANALYSIS})
    poll = hook.run(ChatReached("chat_1", "analyzed", ("user_sentiment",)).poll())
    assert poll.result["analysis"] == {"user_sentiment": "Positive"}


def test_condition_completes_the_phrase_waiting_for() -> None:
    assert str(ChatReached("chat_1")) == "chat chat_1 to end"
    assert str(ChatReached("chat_1", "analyzed")) == "chat chat_1 to be analyzed"
