"""A trigger that waits for a knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition


class KnowledgeBaseTrigger(PollTrigger):
    """Wait until nothing is in progress in a knowledge base.

    The event contains ``knowledge_base_id``, ``knowledge_base_status`` and ``sources``, the number of sources. The
    other parameters are those of :class:`~airflow_provider_retell.triggers.base.PollTrigger`. For example, in an
    operator of your own::

        import time

        from airflow_provider_retell.triggers import KnowledgeBaseTrigger

        self.defer(
            trigger=KnowledgeBaseTrigger(
                knowledge_base_id="knowledge_base_abc",
                retell_conn_id="retell_default",
                poll_interval=10,
                deadline=time.time() + 1800,
            ),
            method_name="resume",
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/knowledge_bases.html
    - API: https://docs.retellai.com/api-references/get-knowledge-base

    :param knowledge_base_id: the knowledge base.
    :param present: the marks of sources that the list must show, or have an error message for. Default: none.
    :param absent: the ids of deleted sources that the list must not show. Default: none.
    :param list_deadline: epoch seconds until which to wait for ``present`` and ``absent``.
    :param accept_error: True to end the wait with the status ``error`` too, False (default) to fail.
    """

    own_arguments: ClassVar[tuple[str, ...]] = (
        "knowledge_base_id",
        "present",
        "absent",
        "list_deadline",
        "accept_error",
    )

    def __init__(
        self,
        *,
        knowledge_base_id: str,
        present: Sequence[str] = (),
        absent: Sequence[str] = (),
        list_deadline: float = 0.0,
        accept_error: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.knowledge_base_id = knowledge_base_id
        self.present = list(present)
        self.absent = list(absent)
        self.list_deadline = list_deadline
        self.accept_error = accept_error

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.knowledge_bases.waits import KnowledgeBaseReady

        return KnowledgeBaseReady(
            self.knowledge_base_id,
            tuple(self.present),
            tuple(self.absent),
            self.list_deadline,
            self.accept_error,
        )
