"""SyncKnowledgeBaseOperator that waits in the triggerer."""

from __future__ import annotations

import itertools
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import tasks
from knowledge_base_runs import KB, History, contents, listed, name_of, outcomes, task, texts, writes
from tasks import TaskDeferred, Ti, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import DocumentsFailedError, WaitTimeoutError
from airflow_provider_retell.api.knowledge_bases.document import without_mark
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("no_sleep")

ADD = "add-knowledge-base-sources"
SECRET = "Zanzibar payroll"
BEFORE = dict.fromkeys("abcde", "old")
AFTER = dict.fromkeys("abc", SECRET) | {"d": "old", "f": SECRET}


@pytest.fixture
def emulator(connect: Any) -> Iterator[Emulator]:
    """An emulator with a knowledge base that has one free place."""
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator:
        emulator.options.knowledge_bases.limits = {"text": 6}
        emulator.add_knowledge_base(knowledge_base_id=KB)
        connect(emulator)
        with no_waiting(emulator.clock.advance):
            run_try(task(texts(BEFORE), max_texts=6))
        emulator.clear_requests()
        yield emulator


def run_deferred(
    make: Callable[[], Any], between: Callable[[], object] = lambda: None, **options: Any
) -> tuple[Any, list[TaskDeferred]]:
    """Run a task to its end, and return its result and its deferrals.

    :param between: called while the task is deferred.
    """
    deferrals: list[TaskDeferred] = []

    def on_deferral(deferred: TaskDeferred) -> None:
        deferrals.append(deferred)
        between()

    return tasks.run_deferred(make, on_deferral=on_deferral, **options), deferrals


@pytest.mark.parametrize("by_event", [False, True], ids=["", "dags-test"])
def test_deferred_refresh_does_the_same_as_a_blocking_one(emulator: Emulator, by_event: bool) -> None:
    history = History(emulator)
    make = lambda: task(texts(AFTER), max_texts=6, deferrable=True)  # noqa: E731
    result, deferrals = run_deferred(make, by_event=by_event)
    assert contents(emulator) == AFTER
    assert len(deferrals) > 1
    assert outcomes(result) == (1, 3, 1, 0, 1)
    assert result["documents"] == 5
    assert result["seconds"] >= 40
    assert history.missing("abcd") == set()
    assert result["requests"] >= emulator.count() - emulator.count("get-knowledge-base")


def test_unchanged_documents_do_not_defer(emulator: Emulator) -> None:
    result, deferrals = run_deferred(lambda: task(texts(BEFORE), max_texts=6, deferrable=True))
    assert (result["unchanged"], deferrals) == (5, [])


def test_nothing_of_a_document_is_in_the_trigger(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    result, deferrals = run_deferred(lambda: task(texts(AFTER), max_texts=6, deferrable=True))
    for deferred in deferrals:
        assert "Zanzibar" not in json.dumps([deferred.trigger.serialize(), deferred.kwargs])
    assert "Zanzibar" not in caplog.text + str(result)


def test_failed_documents_are_remembered_across_deferrals(emulator: Emulator) -> None:
    emulator.options.knowledge_bases.failures["a ["] = "Failed to parse"
    ti = Ti()
    with pytest.raises(DocumentsFailedError, match=r"1 of 5 documents: 'a' \(.*Failed to parse"):
        run_deferred(lambda: task(texts(AFTER), max_texts=6, deferrable=True), ti=ti)
    assert contents(emulator) == AFTER | {"a": "old"}
    assert outcomes(ti.xcom["return_value"])[:4] == (1, 2, 1, 1)


def test_documents_that_change_before_they_are_sent_are_taken_as_they_are(emulator: Emulator) -> None:
    documents = dict(AFTER)

    def change() -> None:
        documents["c"] = "newest"
        documents.pop("f", None)

    result, _ = run_deferred(lambda: task(texts(documents), max_texts=6, deferrable=True), between=change)
    assert contents(emulator) == documents
    assert sum(outcomes(result)[:4]) == result["documents"] == 4


# -- documents that differ each time they are read


@pytest.fixture
def readings() -> Callable[[], list[dict[str, str]]]:
    """Return a function whose documents differ each time: one of the two."""
    numbers = itertools.count()
    return lambda: texts({"b": "old", "rates": f"as of reading {next(numbers)}"})


def test_document_that_differs_each_time_fails_the_task_by_its_title(
    emulator: Emulator, readings: Any
) -> None:
    with pytest.raises(
        AirflowFailException, match="documents: the content of 'rates' has changed after the task"
    ) as caught:
        run_deferred(lambda: task(readings, max_texts=6, deferrable=True, max_deleted_ratio=1))
    assert "has changed the knowledge base before, and stops now" in str(caught.value)
    assert writes(emulator).count(ADD) == 1
    assert contents(emulator)["rates"] == "as of reading 0"


def test_document_that_differs_each_time_leaves_one_copy_after_any_number_of_runs(
    emulator: Emulator, readings: Any
) -> None:
    for run in range(4):
        with pytest.raises(AirflowFailException, match="the content of 'rates' has changed"):
            run_deferred(lambda: task(readings, max_texts=6, deferrable=True, max_deleted_ratio=1))
        # It raises if a document is there twice.
        assert contents(emulator)["rates"] == f"as of reading {2 * run}"


def test_document_that_changes_after_it_failed_keeps_its_old_version(emulator: Emulator) -> None:
    documents = dict(BEFORE) | {"a": "new"}
    emulator.options.knowledge_bases.failures["a ["] = "Failed"
    with pytest.raises(AirflowFailException, match="the content of 'a' has changed"):
        run_deferred(
            lambda: task(texts(documents), deferrable=True), between=lambda: documents.update(a="newest")
        )
    assert contents(emulator) == BEFORE


def test_documents_whose_titles_differ_each_time_fail_the_task(emulator: Emulator) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_2")
    numbers = itertools.count()

    def read() -> list[dict[str, str]]:
        return texts({"b": "old", f"rates {(number := next(numbers))}": f"{number}"})

    with pytest.raises(AirflowFailException, match="documents: 'rates 0' disappeared and 'rates 1' appeared"):
        run_deferred(lambda: task(read, deferrable=True, knowledge_base_id="kb_2"))
    assert contents(emulator, "kb_2") == {"b": "old", "rates 0": "0"}


def test_document_that_disappears_after_it_was_sent_is_deleted(emulator: Emulator) -> None:
    documents = dict(BEFORE) | {"a": "new", "b": "new"}
    result, _ = run_deferred(
        lambda: task(texts(documents), max_texts=6, deferrable=True),
        between=lambda: documents.pop("a", None),
    )
    assert contents(emulator) == dict.fromkeys("cde", "old") | {"b": "new"}
    assert result["deleted"] == 2


def test_waiting_task_reads_its_documents_once(emulator: Emulator, readings: Any) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_2")
    for run in range(2):
        run_try(task(readings, deferrable=False, knowledge_base_id="kb_2"))
        assert contents(emulator, "kb_2") == {"b": "old", "rates": f"as of reading {run}"}


@pytest.mark.parametrize(
    ("left", "message"), [(1, "max_deleted_ratio is 0.5"), (0, "has no documents, and min_documents is 1")]
)
def test_guards_hold_if_the_documents_vanish_while_the_task_is_deferred(
    emulator: Emulator, left: int, message: str
) -> None:
    documents = dict(AFTER)

    def vanish() -> None:
        for title in list(documents)[left:]:
            del documents[title]

    with pytest.raises(AirflowFailException, match=message) as caught:
        run_deferred(lambda: task(texts(documents), max_texts=6, deferrable=True), between=vanish)
    assert "has changed the knowledge base before, and stops now" in str(caught.value)
    assert set("abcde") <= {without_mark(name_of(item)) for item in listed(emulator)}


def test_refresh_in_progress_is_awaited_in_the_triggerer(emulator: Emulator) -> None:
    emulator.organization.knowledge_base_backend.index(emulator.knowledge_bases[KB], [])
    result, deferrals = run_deferred(lambda: task(texts(BEFORE), max_texts=6, deferrable=True))
    assert (len(deferrals), result["unchanged"], writes(emulator)) == (1, 5, [])


@pytest.mark.parametrize("deferrable", [False, True])
def test_wait_ends_at_its_timeout_and_a_retry_continues(emulator: Emulator, deferrable: bool) -> None:
    emulator.options.knowledge_bases.indexing_seconds = 1000

    def make() -> Any:
        return task(texts(AFTER), max_texts=6, deferrable=deferrable, wait_timeout=300)

    with pytest.raises(WaitTimeoutError, match="waiting for knowledge base kb_1 to be indexed"):
        run_deferred(make)
    emulator.options.knowledge_bases.indexing_seconds = 10
    emulator.clock.advance(1000)
    run_deferred(make)
    assert contents(emulator) == AFTER


@pytest.mark.parametrize("deferrable", [False, True])
def test_all_rounds_share_one_timeout(emulator: Emulator, deferrable: bool) -> None:
    emulator.options.knowledge_bases.indexing_seconds = 100

    def make() -> Any:
        return task(texts(AFTER), max_texts=6, deferrable=deferrable, wait_timeout=250)

    started = emulator.clock.now()
    with pytest.raises(
        WaitTimeoutError, match="Timed out after 4 min 10 s of waiting for knowledge base kb_1"
    ):
        run_deferred(make)
    assert emulator.clock.now() - started == pytest.approx(250, abs=10)
    assert writes(emulator).count("add-knowledge-base-sources") > 2


@pytest.mark.parametrize("deferrable", [False, True])
def test_failed_polls_are_tolerated(emulator: Emulator, deferrable: bool) -> None:
    emulator.faults.add(Fault.status(503), route="get-knowledge-base", after=1, times=6)
    run_deferred(lambda: task(texts(AFTER), max_texts=6, deferrable=deferrable))
    assert contents(emulator) == AFTER
