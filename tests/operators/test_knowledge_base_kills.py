"""SyncKnowledgeBaseOperator after a SIGKILL at any point: the next try ends in the right state."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from crashes import arm, die, in_child
from knowledge_base_runs import KB, History, contents, listed, refresh, source, texts
from remote_emulator import RemoteEmulator

from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

# A refresh in rounds: two places are free, four documents changed, one is new, one is gone.
BEFORE = dict.fromkeys("abcdef", "old")
AFTER = dict.fromkeys("abcd", "new") | {"e": "old", "g": "new"}
LIMIT = 8
# The number of requests of a refresh that is not killed. A test checks it. The task stores nothing itself, so a kill
# before a request is the same as a kill after the one before it.
REQUESTS = 24


@pytest.fixture
def emulator(connect: Any) -> Iterator[Emulator]:
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator:
        emulator.options.knowledge_bases.limits = {"text": LIMIT}
        connect(emulator)
        yield emulator


@pytest.fixture
def filled(emulator: Emulator) -> Emulator:
    """An emulator whose knowledge base has the state before the refresh."""
    sources = [source(title, text) for title, text in BEFORE.items()]
    emulator.add_knowledge_base(knowledge_base_id=KB, knowledge_base_sources=sources)
    return emulator


def refreshed(
    emulator: Emulator,
    documents: dict[str, str],
    prepare: Callable[[], object] = lambda: None,
    **arguments: Any,
) -> int:
    """Run a refresh in a process of its own, and return the status of the process.

    :param prepare: called in the process before the refresh, to kill the process at some point.
    """

    def task() -> None:
        control = RemoteEmulator(emulator.url)
        with no_waiting(lambda seconds: control("clock", {"advance": seconds})):
            refresh(texts(documents), max_texts=LIMIT, **arguments)

    return in_child(task, prepare)


def die_in_upload() -> None:
    """Kill the process when it has sent a part of its first form."""
    read = Multipart.read

    def broken_off(form: Multipart) -> Iterator[bytes]:
        chunks = read(form)
        yield next(chunks)
        yield next(chunks)
        die()

    Multipart.read = broken_off  # type: ignore[method-assign, assignment]


def test_refresh_without_a_kill_sends_the_expected_number_of_requests(filled: Emulator) -> None:
    assert refreshed(filled, AFTER, knowledge_base_id=KB) == 0
    assert contents(filled) == AFTER
    assert len(filled.requests) == REQUESTS
    assert filled.count("add-knowledge-base-sources") > 1, "the refresh must take several rounds"


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_refresh_that_was_killed_ends_in_the_right_state(filled: Emulator, number: int) -> None:
    history = History(filled)
    assert refreshed(filled, AFTER, lambda: arm("after", nth=number), knowledge_base_id=KB) == signal.SIGKILL
    assert refreshed(filled, AFTER, knowledge_base_id=KB) == 0
    assert contents(filled) == AFTER
    assert len(listed(filled)) == len(AFTER)
    assert history.missing("abcde") == set()


def test_refresh_that_was_killed_in_an_upload_ends_in_the_right_state(filled: Emulator) -> None:
    assert refreshed(filled, AFTER, die_in_upload, knowledge_base_id=KB) == signal.SIGKILL
    assert contents(filled) == BEFORE
    assert refreshed(filled, AFTER, knowledge_base_id=KB) == 0
    assert contents(filled) == AFTER


def test_refresh_that_is_killed_again_and_again_ends_in_the_right_state(filled: Emulator) -> None:
    history = History(filled)
    kills = 0
    while refreshed(filled, AFTER, lambda: arm("after", nth=3), knowledge_base_id=KB) != 0:
        kills += 1
        assert kills < 100
    assert kills > 5
    assert contents(filled) == AFTER
    assert history.missing("abcde") == set()


@pytest.mark.parametrize("number", range(1, 8))
def test_knowledge_base_is_created_once_if_the_creation_is_killed(emulator: Emulator, number: int) -> None:
    name, kill = "Handbook", lambda: arm("after", nth=number)
    assert refreshed(emulator, BEFORE, kill, knowledge_base_name=name) == signal.SIGKILL
    assert refreshed(emulator, BEFORE, knowledge_base_name=name) == 0
    (knowledge_base,) = emulator.knowledge_bases
    assert contents(emulator, knowledge_base) == BEFORE
