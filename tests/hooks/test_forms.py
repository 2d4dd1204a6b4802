"""Forms with files, through both hooks: streaming, retries, errors, and no document in a message."""

from __future__ import annotations

import hashlib
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import BadRequestError, RetellConnectionError, ServerError
from airflow_provider_retell.api.knowledge_bases.bodies import KnowledgeBaseFile
from airflow_provider_retell.api.multipart import Content, ContentError
from airflow_provider_retell.emulator import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_retell.emulator import Emulator

CHUNK = bytes(range(256)) * 256
SECRET = "Zanzibar payroll"


class Source:
    """A file of some chunks that counts how often it is read."""

    def __init__(self, chunks: int, *, size: int | None = None, error: Exception | None = None) -> None:
        self.reads = 0
        self._chunks = chunks
        self._error = error
        total = chunks * len(CHUNK) if size is None else size
        self.file = KnowledgeBaseFile("file.pdf", Content(total, self._read))

    def _read(self) -> Iterator[bytes]:
        self.reads += 1
        for _ in range(self._chunks):
            yield CHUNK
        if self._error is not None:
            raise self._error


def add(client: Any, *sources: Source, text: str = "Text") -> Any:
    files = [source.file for source in sources]
    texts = [{"title": "Title", "text": text}]
    return client.add_knowledge_base_sources("kb_1", knowledge_base_texts=texts, knowledge_base_files=files)


def test_files_are_never_held_whole(client: Any, emulator: Emulator) -> None:
    add(client, Source(1))
    tracemalloc.start()
    try:
        add(client, Source(700), Source(100))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000
    first, second = emulator.requests[-1].body["knowledge_base_files"]
    assert (first["size"], second["size"]) == (700 * len(CHUNK), 100 * len(CHUNK))
    assert first["sha256"] == hashlib.sha256(CHUNK * 700).hexdigest()
    assert "transfer-encoding" not in emulator.requests[-1].headers


def test_retry_reads_the_files_again(client: Any, emulator: Emulator, sleeps: list[float]) -> None:
    emulator.faults.add(Fault.status(429), route="add-knowledge-base-sources", times=2)
    source = Source(2)
    assert add(client, source).status == "refreshing_in_progress"
    assert source.reads == 3
    assert [request.status for request in emulator.requests] == [429, 429, 201]
    assert len({str(request.body) for request in emulator.requests}) == 1


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.drop(), Fault.drop_after()])
def test_sources_are_not_sent_again_if_retell_may_have_them(
    client: Any, emulator: Emulator, fault: Fault
) -> None:
    emulator.faults.add(fault, route="add-knowledge-base-sources", times=0)
    with pytest.raises((ServerError, RetellConnectionError)) as caught:
        add(client, Source(2))
    assert not caught.value.not_processed
    assert emulator.count("add-knowledge-base-sources") == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(2, size=100), "A file does not have 100 bytes any more"),
        (Source(2, size=200_000), "A file does not have 200,000 bytes any more"),
        (Source(2, error=OSError(SECRET)), r"A file could not be read \(OSError\)"),
        (Source(2, error=ConnectionResetError(SECRET)), r"A file could not be read \(ConnectionResetError\)"),
    ],
)
def test_request_is_broken_off_if_a_file_is_not_as_before(
    client: Any, emulator: Emulator, source: Source, message: str
) -> None:
    with pytest.raises(ContentError, match=message) as caught:
        add(client, source)
    assert caught.value.not_processed
    assert not caught.value.permanent
    assert len(emulator.knowledge_bases["kb_1"]["knowledge_base_sources"]) == 2
    assert emulator.knowledge_bases["kb_1"]["status"] == "complete"
    assert add(client, Source(1)).status == "refreshing_in_progress"


def test_error_message_has_no_words_of_documents(
    client: Any, serve: Any, reply: Callable[..., Any], connect: Any
) -> None:
    answer = {
        "status": "error",
        "message": f"knowledge_base_texts: '{SECRET}' 4711 must be an array, at most 50 MB",
    }
    connect(serve(reply(400, answer)).url)
    with pytest.raises(BadRequestError) as caught:
        add(client, text=f"All about {SECRET} 4711")
    assert "Retell answered 400: knowledge_base_texts: '***' *** must be an array, at most 50 MB." in str(
        caught.value
    )


@pytest.mark.usefixtures("whole_log")
def test_message_about_a_lost_connection_names_the_error(
    client: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.faults.add(Fault.drop(), times=0)
    with pytest.raises(RetellConnectionError) as caught:
        add(client, Source(1), text=SECRET)
    assert "Error" in str(caught.value) or "Disconnected" in str(caught.value)
    assert "Zanzibar" not in str(caught.value) + caplog.text
