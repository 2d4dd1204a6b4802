"""Sensors, re-exported for DAG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.sensors.call import BatchCallSensor, CallSensor
    from airflow_provider_retell.sensors.chat import ChatSensor
    from airflow_provider_retell.sensors.concurrency import ConcurrencySensor
    from airflow_provider_retell.sensors.knowledge_base import KnowledgeBaseSensor
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "sensors.call": ["BatchCallSensor", "CallSensor"],
            "sensors.chat": ["ChatSensor"],
            "sensors.concurrency": ["ConcurrencySensor"],
            "sensors.knowledge_base": ["KnowledgeBaseSensor"],
        },
    )

__all__ = ["BatchCallSensor", "CallSensor", "ChatSensor", "ConcurrencySensor", "KnowledgeBaseSensor"]
