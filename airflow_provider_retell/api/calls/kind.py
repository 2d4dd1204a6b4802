"""The endpoints and models of calls, for code that handles calls and chats alike."""

from __future__ import annotations

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.endpoints import CallChange
from airflow_provider_retell.api.calls.models import Call, CallState
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.api.response_model import Page

CALLS = Kind(
    "call",
    record=Call,
    state=CallState,
    state_page=Page[CallState],
    change=CallChange,
    get=endpoints.get_call,
    listing=endpoints.list_calls,
    delete=endpoints.delete_call,
    rerun_analysis=endpoints.rerun_call_analysis,
)
