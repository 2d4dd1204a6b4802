"""Triggers, re-exported for DAG files and operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.triggers.call import BatchCallTrigger, CallTrigger
    from airflow_provider_retell.triggers.call_event import CallEventTrigger
    from airflow_provider_retell.triggers.chat import ChatTrigger
    from airflow_provider_retell.triggers.chat_event import ChatEventTrigger
    from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger
    from airflow_provider_retell.triggers.knowledge_base import KnowledgeBaseTrigger
    from airflow_provider_retell.triggers.simulation import BatchTestTrigger
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "triggers.call": ["BatchCallTrigger", "CallTrigger"],
            "triggers.call_event": ["CallEventTrigger"],
            "triggers.chat": ["ChatTrigger"],
            "triggers.chat_event": ["ChatEventTrigger"],
            "triggers.concurrency": ["ConcurrencyTrigger"],
            "triggers.knowledge_base": ["KnowledgeBaseTrigger"],
            "triggers.simulation": ["BatchTestTrigger"],
        },
    )

__all__ = [
    "BatchCallTrigger",
    "BatchTestTrigger",
    "CallEventTrigger",
    "CallTrigger",
    "ChatEventTrigger",
    "ChatTrigger",
    "ConcurrencyTrigger",
    "KnowledgeBaseTrigger",
]
