"""Conditions on a chat."""

from __future__ import annotations

from airflow_provider_retell.api.chats.kind import CHATS
from airflow_provider_retell.api.records.waits import RecordReached


class ChatReached(RecordReached):
    """A chat has ended, or has an analysis."""

    kind = CHATS
