"""SyncKnowledgeBaseOperator after a SIGKILL at any point: the next try ends in the right state."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from knowledge_base_runs import KB, History, contents, listed, refresh, source, texts
from remote_emulator import RemoteEmulator

from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator
from airflow_provider_retell.hooks import requests_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

# A refresh in rounds: two places are free, four documents changed, one is new, one is gone.
BEFORE = dict.fromkeys("abcdef", "old")
AFTER = dict.fromkeys("abcd", "new") | {"e": "old", "g": "new"}
LIMIT = 8
# The number of requests of a refresh that is not killed. A test checks it.
REQUESTS = 22


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


def in_child(
    emulator: Emulator, documents: dict[str, str], die: Callable[[], None] | None = None, **arguments: Any
) -> int:
    """Run a refresh in a process of its own, as Airflow does, and return the status of the process.

    :param die: called in the process before the refresh, to kill the process at some point.
    """
    pid = os.fork()
    if pid == 0:
        try:
            control = RemoteEmulator(emulator.url)
            if die is not None:
                die()
            with no_waiting(lambda seconds: control("clock", {"advance": seconds})):
                refresh(texts(documents), max_texts=LIMIT, **arguments)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def die_at(number: int, *, after: bool) -> Callable[[], None]:
    """Kill the process before it sends its n-th request, or when it has the response."""

    def arm() -> None:
        exchange, count = requests_transport.exchange, 0

        def counted(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count == number and not after:
                kill()
            response = exchange(*arguments)
            if count == number:
                kill()
            return response

        requests_transport.exchange = counted  # type: ignore[assignment]

    return arm


def die_in_upload() -> None:
    """Kill the process when it has sent a part of its first form."""
    read = Multipart.read

    def broken_off(form: Multipart) -> Iterator[bytes]:
        chunks = read(form)
        yield next(chunks)
        yield next(chunks)
        kill()

    Multipart.read = broken_off  # type: ignore[method-assign, assignment]


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_refresh_without_a_kill_sends_the_expected_number_of_requests(filled: Emulator) -> None:
    assert in_child(filled, AFTER, knowledge_base_id=KB) == 0
    assert contents(filled) == AFTER
    assert len(filled.requests) == REQUESTS
    assert filled.count("add-knowledge-base-sources") > 1, "the refresh must take several rounds"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_refresh_that_was_killed_ends_in_the_right_state(filled: Emulator, number: int, after: bool) -> None:
    history = History(filled)
    assert in_child(filled, AFTER, die_at(number, after=after), knowledge_base_id=KB) == signal.SIGKILL
    assert in_child(filled, AFTER, knowledge_base_id=KB) == 0
    assert contents(filled) == AFTER
    assert len(listed(filled)) == len(AFTER)
    assert history.missing("abcde") == set()


def test_refresh_that_was_killed_in_an_upload_ends_in_the_right_state(filled: Emulator) -> None:
    assert in_child(filled, AFTER, die_in_upload, knowledge_base_id=KB) == signal.SIGKILL
    assert contents(filled) == BEFORE
    assert in_child(filled, AFTER, knowledge_base_id=KB) == 0
    assert contents(filled) == AFTER


def test_refresh_that_is_killed_again_and_again_ends_in_the_right_state(filled: Emulator) -> None:
    history = History(filled)
    kills = 0
    while in_child(filled, AFTER, die_at(3, after=True), knowledge_base_id=KB) != 0:
        kills += 1
        assert kills < 100
    assert kills > 5
    assert contents(filled) == AFTER
    assert history.missing("abcde") == set()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_knowledge_base_is_created_once_if_the_creation_is_killed(
    emulator: Emulator, number: int, after: bool
) -> None:
    name = "Handbook"
    assert in_child(emulator, BEFORE, die_at(number, after=after), knowledge_base_name=name) == signal.SIGKILL
    assert in_child(emulator, BEFORE, knowledge_base_name=name) == 0
    (knowledge_base,) = emulator.knowledge_bases
    assert contents(emulator, knowledge_base) == BEFORE
