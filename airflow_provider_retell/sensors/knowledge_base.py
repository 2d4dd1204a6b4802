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

        from airflow_provider_retell.sensors import KnowledgeBaseSensor

        KnowledgeBaseSensor(task_id="wait", knowledge_base_id="knowledge_base_abc", deferrable=True, timeout=3600)

    The task returns ``knowledge_base_id``, ``knowledge_base_status`` and ``sources``, the number of sources. If Retell
    could not index the knowledge base at all (status ``error``), the task fails. Errors of single sources do not matter
    to the sensor.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/knowledge_bases.html
    - API: https://docs.retellai.com/api-references/get-knowledge-base

    :param knowledge_base_id: the knowledge base (templated).
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``. ``mode`` has no effect then.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. With
        ``mode="reschedule"``, failures end the wait only with 0. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :param kwargs: the parameters of every Airflow sensor, for example ``poke_interval``, ``timeout``, ``mode`` and
        ``soft_fail``.
    :raises AirflowSensorTimeout: if the wait reached ``timeout``.
    :raises AirflowFailException: if a retry cannot help: there is no such knowledge base, its status is ``error``, or
        Retell rejects the API key.
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
