"""KnowledgeBaseTrigger."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from tasks import connect
from waits import common, payloads, stored

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator
from airflow_provider_retell.triggers.knowledge_base import KnowledgeBaseTrigger

MARK = "airflow-0123456789abcdef0123"


def run(emulator: Emulator, **arguments: Any) -> list[Any]:
    times = common(poll_interval=1, deadline=time.time() + 500)
    trigger = stored(KnowledgeBaseTrigger(knowledge_base_id="kb_1", **arguments, **times))
    with no_waiting(emulator.clock.advance):
        return asyncio.run(asyncio.wait_for(payloads(trigger), 20))


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Any:
    with Emulator(quotas=None, clock=Clock(frozen=True)) as emulator:
        connect(monkeypatch, emulator, quota="9999/1")
        emulator.add_knowledge_base(
            knowledge_base_id="kb_1", knowledge_base_sources=[{"source_id": "source_1"}]
        )
        yield emulator


def done(status: str = "complete", sources: int = 1) -> list[dict[str, Any]]:
    return [
        {"status": "done", "knowledge_base_id": "kb_1", "knowledge_base_status": status, "sources": sources}
    ]


def test_wait_ends_when_new_sources_are_listed_and_deleted_ones_are_not(emulator: Emulator) -> None:
    emulator.options.knowledge_bases.listing_delay = 5
    backend = emulator.organization.knowledge_base_backend
    emulator.knowledge_bases["kb_1"]["knowledge_base_sources"].append({"source_id": "source_2", "title": "b"})
    new = {"source_id": "source_3", "title": f"a [{MARK}]"}
    backend.index(emulator.knowledge_bases["kb_1"], [new])
    backend.delete_source(emulator.knowledge_bases["kb_1"], "source_1")
    arguments = {"present": (MARK,), "absent": ("source_1",), "list_deadline": time.time() + 1000}
    assert run(emulator, **arguments) == done(sources=2)


def test_message_about_a_new_source_ends_the_wait(emulator: Emulator) -> None:
    emulator.edit_knowledge_base("kb_1", error_messages=[f"{MARK}: failed"])
    assert run(emulator, present=(MARK,), list_deadline=time.time() + 1000) == done()


def test_the_wait_for_the_list_is_limited(emulator: Emulator) -> None:
    assert run(emulator, present=(MARK,), absent=("source_1",), list_deadline=time.time() + 0.01) == done()


def test_status_error_can_be_accepted(emulator: Emulator) -> None:
    emulator.edit_knowledge_base("kb_1", status="error")
    assert run(emulator, accept_error=True) == done("error")
    (event,) = run(emulator)
    assert (event["status"], event["permanent"]) == ("error", True)
