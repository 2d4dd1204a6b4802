"""The knowledge base that the checks create, change and delete."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_retell.api.knowledge_bases import endpoints
from airflow_provider_retell.api.knowledge_bases.bodies import KnowledgeBaseFile
from airflow_provider_retell.api.multipart import Content
from airflow_provider_retell.contract.creation import Creation, deleted
from airflow_provider_retell.contract.findings import NotYetError
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import ask, result

if TYPE_CHECKING:
    from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CREATE = Flag(
    "--create-knowledge-base",
    "create a knowledge base with a few words, change it and delete it (Retell charges for more than ten of them)",
)

NAME = "airflow contract check"
TEXT = "contract check [airflow-1]"
SECOND_TEXT = "contract check [airflow-2]"
FILE = "contract check [airflow-3].txt"


def create(target: Target) -> Flow[Response]:
    """Create a knowledge base with one text."""
    name = f"{NAME} {secrets.token_hex(4)}"
    created = Creation("knowledge_base_id", partial(_ids_with, name), _delete)
    target.clean_up(
        created.undo_all, f"the knowledge base {name!r} may still exist: delete it in Retell's dashboard"
    )
    text = {"title": TEXT, "text": "This text is part of a check and can be deleted."}
    return (yield from created.send(endpoints.create_knowledge_base(name, knowledge_base_texts=[text])))


def _ids_with(name: str) -> Flow[list[str]]:
    found = yield from ask(endpoints.list_knowledge_bases())
    return [base.knowledge_base_id for base in found if base.knowledge_base_name == name]


def _delete(knowledge_base_id: str) -> Flow[bool]:
    return deleted(
        endpoints.delete_knowledge_base(knowledge_base_id), endpoints.get_knowledge_base(knowledge_base_id)
    )


def settled(target: Target) -> Flow[KnowledgeBase]:
    """Return the new knowledge base when nothing is in progress."""
    response = yield from target.once(create)
    created = result(endpoints.create_knowledge_base(NAME), response)
    found: KnowledgeBase = yield from ask(endpoints.get_knowledge_base(created.knowledge_base_id))
    if found.in_progress:
        raise NotYetError("the knowledge base is still being indexed", seconds=5)
    return found


def after_creation(target: Target) -> Flow[KnowledgeBase]:
    """Return the knowledge base after its creation."""
    return (yield from target.once(settled))


def _add(target: Target) -> Flow[KnowledgeBase]:
    """Add a text and a file."""
    before = yield from after_creation(target)
    file = KnowledgeBaseFile(FILE, Content.of(b"This file is part of a check and can be deleted."))
    text = {"title": SECOND_TEXT, "text": "This text is part of a check and can be deleted."}
    added: KnowledgeBase = yield from ask(
        endpoints.add_knowledge_base_sources(
            before.knowledge_base_id, knowledge_base_texts=[text], knowledge_base_files=[file]
        )
    )
    return added


def _resettled(target: Target) -> Flow[KnowledgeBase]:
    yield from target.once(_add)
    return (yield from settled(target))


def after_addition(target: Target) -> Flow[KnowledgeBase]:
    """Return the knowledge base after sources were added."""
    return (yield from target.once(_resettled))
