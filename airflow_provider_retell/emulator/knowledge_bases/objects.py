"""The knowledge bases of an organization, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.knowledge_bases.backend import KnowledgeBase


class KnowledgeBaseObjects(Objects):
    """Knowledge bases, for tests."""

    @property
    def knowledge_bases(self) -> dict[str, KnowledgeBase]:
        """The knowledge bases by id, up to date with the clock. The dictionary is live: tests may change it."""
        self._owner.catch_up()
        return self._owner.knowledge_base_backend.objects

    def add_knowledge_base(self, **fields: Any) -> KnowledgeBase:
        """Add a knowledge base that is indexed, and return it.

        Fields that are not given are filled as in a real one, and so are the fields of its sources::

            add_knowledge_base(knowledge_base_sources=[{"type": "text", "title": "Opening hours"}])

        :param fields: fields of the knowledge base.
        :raises ValueError: for an id that exists, or a status or type of source that Retell does not have.
        """
        with self._owner.options.clock.lock:
            return self._owner.knowledge_base_backend.add(**fields)

    def edit_knowledge_base(self, knowledge_base_id: str, **fields: Any) -> KnowledgeBase:
        """Change fields of a knowledge base and return it. ``knowledge_base_sources`` replaces all sources.

        :param knowledge_base_id: the id of the knowledge base.
        :param fields: the new values.
        :raises LookupError: if there is no such knowledge base.
        :raises ValueError: for a status or type of source that Retell does not have, or a new id.
        """
        with self._owner.options.clock.lock:
            return self._owner.knowledge_base_backend.edit(knowledge_base_id, **fields)
