"""Wait until Retell has indexed a knowledge base."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_retell.api.errors import WaitFailedError
from airflow_provider_retell.api.knowledge_bases.document import Mark
from airflow_provider_retell.api.knowledge_bases.endpoints import get_knowledge_base
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
from airflow_provider_retell.api.knowledge_bases.source_errors import SourceErrors
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.waits import Condition, Poll
from airflow_provider_retell.clock import clock


@dataclass(frozen=True)
class KnowledgeBaseReady(Condition):
    """Nothing is in progress in a knowledge base, and its list of sources is up to date.

    :ivar present: the marks of sources that were added. Each must be listed, or have an error message.
    :ivar absent: the ids of sources that were deleted. None may be listed.
    :ivar list_deadline: epoch seconds after which the list may differ from ``present`` and ``absent``. Retell does not
        document how soon the list shows a change.
    :ivar accept_error: True to take the status ``error`` as the end of the wait, False to raise.
    """

    knowledge_base_id: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    list_deadline: float = 0.0
    accept_error: bool = False

    def __str__(self) -> str:
        return f"knowledge base {self.knowledge_base_id} to be indexed"

    def poll(self) -> Flow[Poll]:
        """Read the knowledge base.

        :raises WaitFailedError: if its status is ``error``, unless that is accepted.
        """
        knowledge_base: KnowledgeBase = yield get_knowledge_base(self.knowledge_base_id)
        status, sources = knowledge_base.status, knowledge_base.sources
        if status == "error" and not self.accept_error:
            raise WaitFailedError(
                f"Knowledge base {self.knowledge_base_id} has the status 'error': Retell could not index it. See its "
                "sources in Retell's dashboard"
            )
        errors = SourceErrors(knowledge_base)
        listed = {str(mark) for source in sources if (mark := Mark.find(source.name))}
        waiting = [mark for mark in self.present if mark not in listed and not errors.of_mark(mark)]
        deleted = [source for source in sources if source.source_id in self.absent]
        is_late = clock().time() >= self.list_deadline
        done = not knowledge_base.in_progress and (is_late or not (waiting or deleted))
        state = status if not waiting else f"{status}, {len(waiting)} new sources not listed yet"
        result = {
            "knowledge_base_id": self.knowledge_base_id,
            "knowledge_base_status": status,
            "sources": len(sources),
        }
        return Poll(done, state, result)
