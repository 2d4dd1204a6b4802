"""Conditions on a chat."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_retell.api.chats import endpoints
from airflow_provider_retell.api.chats.models import ChatSummary
from airflow_provider_retell.api.choices import ChatUntil
from airflow_provider_retell.api.records.waits import RecordReached
from airflow_provider_retell.api.request import Request


@dataclass(frozen=True)
class ChatReached(RecordReached):
    """A chat has ended, or has an analysis."""

    chat_id: str
    until: ChatUntil = "ended"
    analysis_fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"chat {self.chat_id} {'to end' if self.until == 'ended' else 'to be analyzed'}"

    def request(self) -> Request[ChatSummary]:
        """Return the request that reads the chat without its transcript."""
        return endpoints.get_chat(self.chat_id).with_parser(ChatSummary.read)
