"""Knowledge bases as the vendor's SDK sees them."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send

TEXTS = [{"title": "Opening hours", "text": 'Mon-Fri ż 🎉 "9 to 5"'}, {"title": "Parking", "text": "Behind."}]


def indexed(emulator: Emulator, client: Retell, knowledge_base_id: str) -> Any:
    """Let Retell finish indexing, and return the knowledge base."""
    emulator.clock.advance(emulator.options.knowledge_bases.indexing_seconds)
    return client.knowledge_base.retrieve(knowledge_base_id)


def test_new_knowledge_base_is_indexed_after_a_while(emulator: Emulator, client: Retell) -> None:
    created = client.knowledge_base.create(
        knowledge_base_name="Handbook",
        knowledge_base_texts=TEXTS,
        knowledge_base_files=[("prices.pdf", io.BytesIO(b"%PDF-"), "application/pdf")],
        knowledge_base_urls=["https://example.com/faq"],
        enable_auto_refresh=True,
        min_chunk_size=100,
        max_chunk_size=900,
    )
    assert (created.status, created.knowledge_base_sources) == ("in_progress", [])
    assert (created.enable_auto_refresh, created.min_chunk_size, created.max_chunk_size) == (True, 100, 900)
    done = indexed(emulator, client, created.knowledge_base_id)
    assert done.status == "complete"
    text, parking, file, url = done.knowledge_base_sources
    assert (text.type, text.title, parking.title) == ("text", "Opening hours", "Parking")
    assert (file.type, file.filename, file.file_size) == ("document", "prices.pdf", 5)
    assert (url.type, url.url) == ("url", "https://example.com/faq")
    stored = emulator.knowledge_bases[created.knowledge_base_id]["knowledge_base_sources"]
    assert stored[0]["_text"] == TEXTS[0]["text"]
    assert stored[2]["_sha256"] == hashlib.sha256(b"%PDF-").hexdigest()
    assert emulator.requests[0].status == 201


def test_texts_are_one_field_with_an_array_and_files_are_repeated_fields(
    emulator: Emulator, client: Retell
) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")
    files = [("a.pdf", b"a", "application/pdf"), ("b.txt", b"b", "text/plain")]
    client.knowledge_base.add_sources("kb_1", knowledge_base_texts=TEXTS, knowledge_base_files=files)
    body = emulator.requests[-1].body
    assert [json.loads(value) for value in body["knowledge_base_texts"]] == [TEXTS]
    assert [file["filename"] for file in body["knowledge_base_files"]] == ["a.pdf", "b.txt"]
    assert body["knowledge_base_files"][0]["content_type"] == "application/pdf"


def test_sources_stay_listed_while_new_ones_are_indexed(emulator: Emulator, client: Retell) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1", knowledge_base_sources=[{"title": "Old"}])
    added = client.knowledge_base.add_sources("kb_1", knowledge_base_texts=TEXTS[:1])
    assert added.status == "refreshing_in_progress"
    assert [source.title for source in added.knowledge_base_sources] == ["Old"]
    emulator.clock.advance(19)
    client.knowledge_base.add_sources("kb_1", knowledge_base_texts=TEXTS[1:])
    emulator.clock.advance(19)
    midway = client.knowledge_base.retrieve("kb_1")
    assert midway.status == "refreshing_in_progress"
    assert [source.title for source in midway.knowledge_base_sources] == ["Old", "Opening hours"]
    assert indexed(emulator, client, "kb_1").status == "complete"


def test_deleted_source_is_gone_at_once(emulator: Emulator, client: Retell) -> None:
    sources = [{"title": "One", "source_id": "source_1"}, {"title": "Two"}]
    emulator.add_knowledge_base(knowledge_base_id="kb_1", knowledge_base_sources=sources)
    left = client.knowledge_base.delete_source("source_1", knowledge_base_id="kb_1")
    assert [source.title for source in left.knowledge_base_sources] == ["Two"]
    with pytest.raises(retell.NotFoundError):
        client.knowledge_base.delete_source("source_1", knowledge_base_id="kb_1")
    assert left.status == "complete"


def test_last_source_cannot_be_deleted(emulator: Emulator, client: Retell) -> None:
    emulator.add_knowledge_base(
        knowledge_base_id="kb_1", knowledge_base_sources=[{"title": "One", "source_id": "source_1"}]
    )
    with pytest.raises(retell.BadRequestError, match="at least one source"):
        client.knowledge_base.delete_source("source_1", knowledge_base_id="kb_1")


def test_list_has_all_knowledge_bases_without_an_envelope(emulator: Emulator, client: Retell) -> None:
    for name in ("One", "Two", "Two"):
        client.knowledge_base.create(knowledge_base_name=name)
    assert [item.knowledge_base_name for item in client.knowledge_base.list()] == ["One", "Two", "Two"]


def test_deleted_knowledge_base_is_unknown(emulator: Emulator, client: Retell) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")
    client.knowledge_base.delete("kb_1")
    for attempt in (
        client.knowledge_base.delete,
        client.knowledge_base.retrieve,
        lambda name: client.knowledge_base.add_sources(name, knowledge_base_texts=TEXTS),
        lambda name: client.knowledge_base.delete_source("source_1", knowledge_base_id=name),
    ):
        with pytest.raises(retell.NotFoundError, match="kb_1 not found"):
            attempt("kb_1")


@pytest.mark.parametrize(
    "fields",
    [
        {"knowledge_base_name": "x" * 40},
        {"knowledge_base_name": "x", "min_chunk_size": 2000},
        {"knowledge_base_name": "x", "min_chunk_size": 500, "max_chunk_size": 400},
        {"knowledge_base_name": "x", "knowledge_base_urls": ["ftp://example.com"]},
        {"knowledge_base_name": "x", "knowledge_base_texts": [{"title": "x", "text": ""}]},
        {"knowledge_base_name": "x", "knowledge_base_files": [("x.pdf", b"x")] * 26},
        {"knowledge_base_name": "x", "knowledge_base_texts": [{"title": "x", "text": "x"}] * 51},
    ],
)
def test_input_beyond_the_limits_is_refused(
    emulator: Emulator, client: Retell, fields: dict[str, Any]
) -> None:
    with pytest.raises(retell.BadRequestError):
        client.knowledge_base.create(**fields)
    assert emulator.knowledge_bases == {}


def test_limits_count_the_sources_that_exist(emulator: Emulator, client: Retell) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1", knowledge_base_sources=[{"title": "x"}] * 49)
    client.knowledge_base.add_sources("kb_1", knowledge_base_texts=TEXTS[:1])
    emulator.clock.advance(60)
    with pytest.raises(retell.BadRequestError, match="at most 50 sources of the type text"):
        client.knowledge_base.add_sources("kb_1", knowledge_base_texts=TEXTS[:1])


def test_file_over_50_mb_is_refused(emulator: Emulator, client: Retell) -> None:
    client = client.with_options(timeout=60)
    with pytest.raises(retell.BadRequestError, match="File too large"):
        client.knowledge_base.create(
            knowledge_base_name="x", knowledge_base_files=[("x.pdf", bytes(50_000_001))]
        )


def test_key_without_permission_cannot_edit(emulator: Emulator, connect: Any) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")
    emulator.add_key("key_reader", {"agent": "read"})
    reader = connect(emulator, "key_reader")
    assert reader.knowledge_base.retrieve("kb_1").status == "complete"
    with pytest.raises(retell.PermissionDeniedError):
        reader.knowledge_base.delete("kb_1")


def test_organizations_have_their_own_knowledge_bases(emulator: Emulator, connect: Any) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")
    other = emulator.add_organization("other")
    assert connect(emulator, other.api_key).knowledge_base.list() == []


def test_path_without_the_source_segment_is_no_endpoint(emulator: Emulator, send: Send) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")
    reply = send(emulator, "DELETE", "/delete-knowledge-base-source/kb_1/source_1")
    assert (reply.status, reply.body) == (404, b"Cannot DELETE /delete-knowledge-base-source/kb_1/source_1")


def test_names_can_be_changed_by_the_server(emulator: Emulator, client: Retell) -> None:
    emulator.options.knowledge_bases.sanitizes_file_names = True
    created = client.knowledge_base.create(
        knowledge_base_name="x", knowledge_base_files=[("Preise (1).pdf", b"x")]
    )
    (source,) = indexed(emulator, client, created.knowledge_base_id).knowledge_base_sources
    assert source.filename == "Preise__1_.pdf"
