"""A sensor that waits for a knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.params.rendered import as_id
from airflow_provider_retell.sensors.base import RetellSensor

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.triggers.base import PollTrigger


class KnowledgeBaseSensor(RetellSensor):
    """Wait until nothing is in progress in a knowledge base.

    ::

        KnowledgeBaseSensor(task_id="wait", knowledge_base_id="knowledge_base_abc", deferrable=True, timeout=3600)

    The task returns ``knowledge_base_id``, ``knowledge_base_status`` and ``sources``, the number of sources. If Retell
    could not index the knowledge base at all (status ``error``), the task fails. Errors of single sources do not matter
    to the sensor.
    The other parameters are those of every sensor of this package (``retell_conn_id``, ``deferrable``,
    ``max_poll_failures``) and of every Airflow sensor (``poke_interval``, ``timeout``, ``mode``, ``soft_fail`` ...).

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/knowledge_bases.html

    Retell: https://docs.retellai.com/api-references/get-knowledge-base

    :param knowledge_base_id: the knowledge base (templated).
    """

    template_fields: Sequence[str] = ("knowledge_base_id", *RetellSensor.template_fields)

    def __init__(self, *, knowledge_base_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.knowledge_base_id = knowledge_base_id

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.knowledge_bases.waits import KnowledgeBaseReady

        return KnowledgeBaseReady(as_id(self.knowledge_base_id, "knowledge_base_id"))

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger for this condition."""
        from airflow_provider_retell.triggers.knowledge_base import KnowledgeBaseTrigger

        return KnowledgeBaseTrigger
