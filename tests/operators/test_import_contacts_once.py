"""ImportContactsOperator starts each import at most once, and recognizes it by its start time."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from at_most_once import (
    FAULTS,
    LOOP,
    RESCHEDULE,
    STORES,
    cell,
    check_guide,
    fast,
    new_ti,
    store_of,
)
from crashes import timeouts
from simulations import dag_run
from task_forker import Forker
from tasks import StateStore, Ti, run_task, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.operators import ImportContactsOperator

if TYPE_CHECKING:
    from collections.abc import Iterator

BULK = "airflow_provider_retell.bulk"
STARTS = "create-contact-import"
ROWS = [{"phone_number": "+14155550101", "first_name": "Ada", "out": None}]
TWO_FILES = [*ROWS, {"phone_number": "+14155550102", "first_name": "Bo", "out": True}]
ARGUMENTS: dict[str, Any] = {"columns": ["first_name"], "do_not_call_column": "out", "retries": 1}
LEFT_OUT = "+14155550103"

# The step of the request, or the function in which the worker is killed; the imports after the first try, and after a
# retry with and without a state store. None means that the retry fails and starts no import.
KILLS: dict[str, tuple[str, int, int | None, int | None]] = {
    "worker killed before it read the contacts": (
        f"{BULK}.contacts.csv_import:ContactImport.set_up",
        0,
        1,
        None,
    ),
    "worker killed before it uploaded the file": (
        f"{BULK}.contacts.import_jobs:upload_contact_import_file",
        0,
        1,
        None,
    ),
    "worker killed before the request": ("before", 0, None, None),
    "worker killed after Retell acted, before the response was read": ("acted", 1, 1, 1),
    "worker killed after the response, before it was recorded": ("received", 1, 1, 1),
    "worker killed while waiting": (f"{BULK}.contacts.import_jobs:ImportJobs._wait_for_end", 1, 1, 1),
    "worker killed after the import, before it read the contacts again": (
        f"{BULK}.contacts.csv_import:ContactImport._read_again",
        1,
        1,
        1,
    ),
}
SECOND_KILLS: dict[str, tuple[str, int, int | None, int | None]] = {
    "worker killed before the request for the second file": ("before", 1, None, None),
    "worker killed after Retell acted on that request": ("acted", 2, 2, 2),
    "worker killed after the response to that request": ("received", 2, 2, 2),
}
# The imports after the event that follows an import that left a row out, by the state store: kept, discarded, or none.
AGAIN = {
    "retry": (1, 1, 1),
    'clear with `on_clear="skip"`': (1, 1, 1),
    'clear with `on_clear="resend"`': (2, 2, 2),
}


def importing(rows: Any = ROWS, **arguments: Any) -> ImportContactsOperator:
    """Return an operator that imports *rows*."""
    return ImportContactsOperator(task_id="a_task", rows=rows, **{**ARGUMENTS, **arguments})


def retry(
    emulator: Emulator, expected: int | None, operator: Any = None, match: str = "", **options: Any
) -> Any:
    """Run a retry that must leave *expected* imports, or fail if that is None."""
    before = len(emulator.contact_imports)
    options = {
        "try_number": 2,
        "dag_run": dag_run(datetime.now(timezone.utc) - timedelta(minutes=1)),
        **options,
    }
    with fast(emulator):
        if expected is None:
            with pytest.raises(
                AirflowFailException,
                match=match
                or r"may have sent create-contact-import.*not sent again.*set on_clear='resend' on the task",
            ):
                run_try(operator or importing(), **options)
            assert len(emulator.contact_imports) == before
        else:
            run_try(operator or importing(), **options)
            assert len(emulator.contact_imports) == expected


@pytest.fixture
def running() -> Iterator[Emulator]:
    """An emulator whose clock is fast, because a killed process cannot advance it."""
    with Emulator(clock=Clock(speed=600)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    """The process that forks tasks."""
    with Forker("tests.operators.killed_import") as forker:
        yield forker


def kill(forker: Forker, store: StateStore | None, step: str, rows: Any, nth: int = 1) -> None:
    """Run a first try that is killed."""
    forker.start(
        connection=os.environ["AIRFLOW_CONN_RETELL_DEFAULT"],
        store=None if store is None else str(store.path),
        step=step,
        nth=nth,
        rows=rows,
        **ARGUMENTS,
    )
    status = forker.status()
    assert os.WIFSIGNALED(status), f"the process exited with {os.waitstatus_to_exitcode(status)}"
    assert os.WTERMSIG(status) == signal.SIGKILL


# -- faults and crashes


@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_with_an_unknown_outcome_is_not_sent_again(
    emulator: Emulator, store: Any, connect: Any, fault: str
) -> None:
    kind, started, fails = FAULTS[fault]
    connect(emulator, **timeouts(kind))
    emulator.faults.add(kind, route=STARTS, times=1)
    emulator.add_contact_import(seconds=10)["start_timestamp"] -= 3_600_000
    ti = Ti()
    with fast(emulator, pause=0.3 if "later" in fault else 0):
        options = {"ti": ti, "dag_run": dag_run(), **({"task_state_store": store} if store else {})}
        if fails:
            with pytest.raises(AirflowFailException, match=r"unknown.*not sent again.*dashboard.*'resend'"):
                run_task(importing(), **options)
        else:
            run_task(importing(), **options)
            (done,) = ti.xcom["manifest"]["imports"]
            assert done["found"] is (fault != "429")
            assert done["start_timestamp"] == emulator.contact_imports[-1]["start_timestamp"]
            assert (done["rows"], done["succeeded"], done["failed"]) == (1, 1, 0)
    assert len(emulator.contact_imports) == started + 1
    retry(emulator, None if fails else started + 1, store=store)
    assert emulator.count(STARTS) == (2 if fault == "429" else 1)


@pytest.mark.parametrize("name", KILLS)
def test_a_retry_after_a_killed_worker_starts_no_second_import(
    running: Emulator, forker: Forker, connect: Any, store: Any, name: str
) -> None:
    step, started, with_store, without = KILLS[name]
    connect(running)
    kill(forker, store, step, ROWS)
    assert len(running.contact_imports) == started
    retry(running, with_store if store else without, store=store)
    if (with_store if store else without) is not None:
        assert [contact["first_name"] for contact in running.contacts.values()] == ["Ada"]


@pytest.mark.parametrize("name", SECOND_KILLS)
def test_a_retry_after_a_worker_killed_at_the_second_file_starts_no_import_twice(
    running: Emulator, forker: Forker, connect: Any, store: Any, name: str
) -> None:
    step, started, with_store, without = SECOND_KILLS[name]
    connect(running)
    kill(forker, store, step, TWO_FILES, nth=2)
    assert len(running.contact_imports) == started
    expected = with_store if store else without
    # Without a record, the first import is taken for that of the rows that are missing.
    match = "" if store else "1 of 2 rows failed: 1 failed(.|\n)*starts no further import"
    retry(running, expected, importing(TWO_FILES), match, store=store)
    if expected is not None:
        assert {contact["first_name"] for contact in running.contacts.values()} == {"Ada", "Bo"}


def test_a_retry_starts_the_second_file_after_the_first_was_imported(
    running: Emulator, connect: Any, state_store: Any
) -> None:
    connect(running)
    running.faults.add(Fault.status(400), route="upload-contact-import-file", after=1, times=1)
    with pytest.raises(AirflowFailException, match="400"):
        run_try(importing(TWO_FILES, poll_interval=0.02), store=state_store, dag_run=dag_run())
    assert len(running.contact_imports) == 1
    retry(running, 2, importing(TWO_FILES), store=state_store)


def test_a_retry_waits_for_the_import_of_an_earlier_try(emulator: Emulator, store: Any) -> None:
    emulator.options.contacts.import_lag = 5
    emulator.add_contact_import(seconds=0)["start_timestamp"] -= 3_600_000
    emulator.clock.advance(10)
    with pytest.raises(WaitTimeoutError, match="Timed out after .* of waiting for the contact import to end"):
        run_try(importing(wait_timeout=0), store=store, dag_run=dag_run())
    retry(emulator, 2, store=store)
    assert [contact["first_name"] for contact in emulator.contacts.values()] == ["Ada"]


def test_an_import_from_before_the_dag_run_is_not_taken_for_that_of_the_task(emulator: Emulator) -> None:
    emulator.add_contact_import()["start_timestamp"] -= 3_600_000
    emulator.clock.advance(100)
    retry(emulator, None)


def test_a_rejected_import_can_be_started_after_the_cause_is_fixed(emulator: Emulator, store: Any) -> None:
    emulator.options.contacts.custom_fields = []
    operator = importing(columns={"first_name": "plan"})
    with fast(emulator), pytest.raises(AirflowFailException, match=r"400.*CRM config") as error:
        run_try(operator, store=store, dag_run=dag_run())
    assert ("Without Airflow's task state store" in str(error.value)) == (store is None)
    assert emulator.contact_imports == []
    emulator.options.contacts.custom_fields = ["plan"]
    retry(emulator, 1 if store else None, importing(columns={"first_name": "plan"}), store=store)
    if store is None:
        again = importing(columns={"first_name": "plan"}, on_clear="resend")
        retry(emulator, 1, again, cleared_at=1)


def test_a_task_that_failed_before_the_request_can_be_retried(emulator: Emulator, state_store: Any) -> None:
    emulator.faults.add(Fault.status(500), route="list-contacts", times=8)
    with fast(emulator), pytest.raises(RetellError, match="500"):
        run_try(importing(), store=state_store, dag_run=dag_run())
    retry(emulator, 1, store=state_store)


# -- retries, clears and loops


def attempt(
    emulator: Emulator,
    on_clear: Any,
    ti: Ti,
    store: StateStore | None,
    started: datetime | None = None,
    **context: Any,
) -> str:
    """Run a try whose import leaves a row out; return its error."""
    emulator.options.contacts.import_failures = {LEFT_OUT}
    rows = [*ROWS, {"phone_number": LEFT_OUT, "first_name": "Cy", "out": None}]
    options = {**context, **({"task_state_store": store} if store else {})}
    with fast(emulator), pytest.raises(AirflowFailException) as caught:
        run_task(importing(rows, on_clear=on_clear), ti=ti, **{"dag_run": dag_run(started), **options})
    return str(caught.value)


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("event", AGAIN)
def test_a_retry_or_clear_starts_another_import_only_with_resend(
    emulator: Emulator, tmp_path: Path, event: str, kind: str
) -> None:
    store = store_of(kind, tmp_path)
    make_ti = new_ti if kind == "discarded" else Ti
    on_clear = "resend" if "resend" in event else "skip"
    failed = "1 of 2 rows failed: 1 failed"
    assert failed in attempt(emulator, on_clear, make_ti(1, 1), store)
    assert len(emulator.contact_imports) == 1
    is_clear = event.startswith("clear")
    max_tries = 2 if is_clear else 1
    # A clear of a DAG run that has ended gives it a new start date.
    started = datetime.now(timezone.utc) + timedelta(hours=1) if is_clear else None
    if is_clear and kind == "discarded" and store:
        store.clear()
    expected = AGAIN[event][STORES.index(kind)]
    assert failed in attempt(emulator, on_clear, make_ti(2, max_tries), store, started)
    assert len(emulator.contact_imports) == expected
    third = attempt(emulator, on_clear, make_ti(3, max_tries), store, started)
    assert ("may have sent" if kind == "none" and expected == 2 else failed) in third
    assert len(emulator.contact_imports) == expected


def test_each_iteration_of_a_task_loop_has_an_import_of_its_own(emulator: Emulator, tmp_path: Path) -> None:
    region = uuid4()
    for index, total in ((0, 1), (1, 2)):
        store = store_of("kept", tmp_path, index)
        for number in (1, 2):
            attempt(emulator, "skip", new_ti(number, 1, region, index), store)
            assert len(emulator.contact_imports) == total


def test_a_rescheduled_try_starts_no_import_again(emulator: Emulator, state_store: StateStore) -> None:
    """Airflow 3.4 then keeps the number of the try, and the store."""
    attempt(emulator, "skip", new_ti(1, 1), state_store)
    attempt(emulator, "skip", new_ti(1, 1), state_store, task_reschedule_count=1)
    attempt(emulator, "skip", new_ti(1, 1), None, task_reschedule_count=1)
    assert len(emulator.contact_imports) == 1


def test_the_tables_in_the_guide_match_these_scenarios() -> None:
    kills = {
        name: (started, cell(with_store), cell(without))
        for name, (_, started, with_store, without) in (*KILLS.items(), *SECOND_KILLS.items())
    }
    check_guide("contacts.md", {**kills, **AGAIN, LOOP: ("-", 2, "-"), RESCHEDULE: ("-", 1, "-")})
