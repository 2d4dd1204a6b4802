"""The endpoints and models of chats, for code that handles calls and chats alike."""

from __future__ import annotations

from airflow_provider_retell.api.chats import endpoints
from airflow_provider_retell.api.chats.endpoints import ChatChange
from airflow_provider_retell.api.chats.models import Chat, ChatState
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.api.response_model import Page

CHATS = Kind(
    "chat",
    record=Chat,
    state=ChatState,
    state_page=Page[ChatState],
    change=ChatChange,
    get=endpoints.get_chat,
    listing=endpoints.list_chats,
    delete=endpoints.delete_chat,
    rerun_analysis=endpoints.rerun_chat_analysis,
)
