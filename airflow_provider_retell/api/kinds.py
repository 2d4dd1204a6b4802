"""Calls and chats by their noun. DAG files import this module, so it imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.kind import Kind
    from airflow_provider_retell.api.records.nouns import Noun


def kind_of(noun: Noun) -> Kind[Any]:
    """Return the endpoints and models of calls or chats. The import loads pydantic, so DAG files must not call this."""
    if noun == "call":
        from airflow_provider_retell.api.calls.kind import CALLS

        return CALLS
    from airflow_provider_retell.api.chats.kind import CHATS

    return CHATS
