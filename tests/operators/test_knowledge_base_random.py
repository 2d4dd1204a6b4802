"""SyncKnowledgeBaseOperator with random documents, faults, limits and behaviors of Retell."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import pytest
from knowledge_base_runs import KB, History, listed, name_of, outcomes, refresh

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.documents import FileDocuments
from airflow_provider_retell.emulator import Clock, Emulator, Fault

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = 20
LIMIT = 8
ROUTES = ("add-knowledge-base-sources", "delete-knowledge-base-source", "get-knowledge-base")
FAULTS = (Fault.status(503), Fault.status(429), Fault.drop(), Fault.drop_after(), Fault.truncate())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_refresh_ends_in_the_right_state(seed: int, connect: Any, tmp_path: Path) -> None:
    choose = random.Random(seed)
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator, no_waiting(emulator.clock.advance):
        connect(emulator)
        options = emulator.options.knowledge_bases
        options.limits = {"text": LIMIT, "document": LIMIT, "url": 1}
        options.error_form = choose.choice(["source_id", "name", "none"])
        options.lists_failed_sources = choose.random() < 0.5
        options.refreshes_on_delete = choose.random() < 0.3
        options.sanitizes_file_names = choose.random() < 0.5
        options.missing_status = choose.choice([404, 422])
        options.listing_delay = choose.choice([0, 0, 20])
        foreign = {"type": "url", "url": "https://example.com"}
        emulator.add_knowledge_base(knowledge_base_id=KB, knowledge_base_sources=[foreign])
        history = History(emulator)
        for _ in range(3):
            options.failures = {f"{letter}.": "Failed" for letter in "abcdefghij" if choose.random() < 0.1}
            for _ in range(choose.randrange(3)):
                emulator.faults.add(
                    choose.choice(FAULTS), route=choose.choice(ROUTES), after=choose.randrange(4)
                )
            write(tmp_path, choose)
            with contextlib.suppress(RetellError):
                run(tmp_path)
        options.failures = {}
        emulator.faults.clear()
        before = {name_of(item) for item in listed(emulator)}
        expected = write(tmp_path, choose)
        result = run(tmp_path)
        emulator.clock.advance(60)
        assert sorted(stored(emulator)) == sorted(expected)
        assert sum(outcomes(result)[:4]) == result["documents"] == len(expected)
        assert result["failed"] == 0
        assert all(state for state in history.states), "the knowledge base lost its last source"
        assert "https://example.com" in {name_of(item) for item in listed(emulator)} & before
        emulator.clear_requests()
        assert run(tmp_path)["unchanged"] == len(expected)
        assert [request.route for request in emulator.requests] == ["get-knowledge-base"]


def write(folder: Path, choose: random.Random) -> list[tuple[str, int]]:
    """Write random files, and return the type and the size of the expected sources."""
    for file in folder.iterdir():
        file.unlink()
    sizes = []
    for kind, suffix in (("text", ".md"), ("document", ".pdf")):
        for letter in choose.sample("abcdefghij", choose.randint(1, LIMIT)):
            size = choose.randint(1, 3)
            (folder / f"{letter}{suffix}").write_text("x" * size)
            sizes.append((kind, size))
    return sizes


def run(folder: Path) -> dict[str, Any]:
    return refresh(FileDocuments(str(folder)), max_deleted_ratio=1, max_texts=LIMIT, max_files=LIMIT)


def stored(emulator: Emulator) -> list[tuple[str, int]]:
    """Return the type and the size of the sources."""
    return [
        (item["type"], len(item["_text"]) if item["type"] == "text" else item["file_size"])
        for item in listed(emulator)
        if item["type"] != "url"
    ]
