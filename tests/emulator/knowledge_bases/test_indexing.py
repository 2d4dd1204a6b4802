"""Indexing, its failures, and the options for points that Retell does not document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import KnowledgeBaseOptions

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator

TEXTS = [{"title": "good", "text": "x"}, {"title": "broken one", "text": "x"}]


@pytest.fixture
def options(emulator: Emulator) -> KnowledgeBaseOptions:
    options = emulator.options.knowledge_bases
    options.failures["broken"] = "Failed to process the text"
    return options


def create(emulator: Emulator, client: Retell, texts: Any = TEXTS) -> dict[str, Any]:
    """Create a knowledge base, wait until it is indexed, and return it as the API shows it."""
    client.knowledge_base.create(knowledge_base_name="x", knowledge_base_texts=texts)
    emulator.clock.advance(20)
    (knowledge_base,) = client.knowledge_base.list()
    return knowledge_base.to_dict()


def titles(knowledge_base: dict[str, Any]) -> list[str]:
    return [source["title"] for source in knowledge_base["knowledge_base_sources"]]


def test_failed_source_is_reported_by_its_id(
    emulator: Emulator, client: Retell, options: KnowledgeBaseOptions
) -> None:
    options.lists_failed_sources = True
    shown = create(emulator, client)
    assert (shown["status"], titles(shown)) == ("complete", ["good", "broken one"])
    failed = shown["knowledge_base_sources"][1]["source_id"]
    assert shown["error_messages"] == [{"source_id": failed, "message": "Failed to process the text"}]


@pytest.mark.parametrize(
    ("form", "message"),
    [("name", "broken one: Failed to process the text"), ("none", "Failed to process the text")],
)
def test_failed_source_can_be_reported_otherwise(
    emulator: Emulator, client: Retell, options: KnowledgeBaseOptions, form: Any, message: str
) -> None:
    options.error_form = form
    shown = create(emulator, client)
    assert (titles(shown), shown["error_messages"]) == (["good"], [message])


def test_knowledge_base_without_any_good_source_has_an_error(
    emulator: Emulator, client: Retell, options: KnowledgeBaseOptions
) -> None:
    assert create(emulator, client, TEXTS[1:])["status"] == "error"


def test_errors_are_forgotten_with_the_next_request(
    emulator: Emulator, client: Retell, options: KnowledgeBaseOptions
) -> None:
    shown = create(emulator, client)
    client.knowledge_base.add_sources(shown["knowledge_base_id"], knowledge_base_texts=TEXTS[:1])
    emulator.clock.advance(20)
    (knowledge_base,) = client.knowledge_base.list()
    assert "error_messages" not in knowledge_base.to_dict()


def test_creation_without_sources_can_be_refused(
    emulator: Emulator, client: Retell, options: KnowledgeBaseOptions
) -> None:
    import retell

    options.allows_empty = False
    with pytest.raises(retell.BadRequestError):
        client.knowledge_base.create(knowledge_base_name="x")


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="error_form must be one of"):
        KnowledgeBaseOptions(error_form="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be 0 or more"):
        KnowledgeBaseOptions(indexing_seconds=-1)


def test_a_deleted_source_can_be_listed_for_a_while(
    emulator: Emulator, client: Retell, options: KnowledgeBaseOptions
) -> None:
    options.listing_delay = 30
    sources = [{"source_id": "source_1", "title": "One"}, {"title": "Two"}]
    emulator.add_knowledge_base(knowledge_base_id="kb_1", knowledge_base_sources=sources)
    left = client.knowledge_base.delete_source("source_1", knowledge_base_id="kb_1")
    assert titles(left.to_dict()) == ["One", "Two"]
    emulator.clock.advance(30)
    assert titles(client.knowledge_base.retrieve("kb_1").to_dict()) == ["Two"]
