"""RunBatchTestOperator starts each batch test at most once, and finds it again."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from at_most_once import (
    FAILS,
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
from crashes import killed, timeouts
from simulations import AGENT, ENGINE, add_agent, add_case, dag_run, simulation
from tasks import StateStore, Ti, continuation, defer, run_deferred, run_task, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.emulator import Clock, Emulator, Fault

STARTS = "create-batch-test"

# The step, its request and the number of that request; the batch tests after the first try, and after a retry
# with and without a state store. None means that the retry fails and starts no batch test.
KILLS: dict[str, tuple[str, str | None, int, int, int | None, int | None]] = {
    "worker killed before it read the agent": ("before", "get-agent", 1, 0, 1, None),
    "worker killed before the request": ("before", STARTS, 1, 0, None, None),
    "worker killed after Retell acted, before the response was read": ("acted", STARTS, 1, 1, 1, 1),
    "worker killed after the response, before it was recorded": ("received", STARTS, 1, 1, 1, 1),
    "worker killed after recording, before waiting": ("wait", None, 1, 1, 1, 1),
    "worker killed while waiting": ("waiting", None, 1, 1, 1, 1),
}
SECOND_KILLS: dict[str, tuple[str, str, int, int | None, int | None]] = {
    "worker killed before the request that repeats failed tests": ("before", STARTS, 1, None, None),
    "worker killed after Retell acted on that request": ("acted", STARTS, 2, 2, 2),
    "worker killed after the response to that request": ("received", STARTS, 2, 2, 2),
}
TRIGGERER = "triggerer killed while the task is deferred"

# The batch tests after the event, and after a retry behind it, by the state store: kept, discarded, or none.
AGAIN = {
    "retry": ((1, 1), (1, 1), (1, 1)),
    'clear with `on_clear="skip"`': ((1, 1), (1, 1), (1, 1)),
    'clear with `on_clear="resend"`': ((2, 2), (2, 2), (2, FAILS)),
}
CHANGED = "clear, and the agent, its version or the test cases have changed"


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    add_agent(emulator)
    add_case(emulator, "Books")
    add_case(emulator, "Cancels")


def retry(emulator: Emulator, expected: int | None, operator: Any = None, **options: Any) -> Any:
    """Run a retry that must leave *expected* batch tests, or fail if that is None."""
    before = len(emulator.batch_tests)
    options = {
        "try_number": 2,
        "dag_run": dag_run(datetime.now(timezone.utc) - timedelta(minutes=1)),
        **options,
    }
    with fast(emulator):
        if expected is None:
            with pytest.raises(
                AirflowFailException,
                match=r"may have sent create-batch-test.*not sent again.*dashboard.*set on_clear='resend' on the task",
            ):
                run_try(operator or simulation(), **options)
            assert len(emulator.batch_tests) == before
            return None
        result = run_try(operator or simulation(), **options)
    assert len(emulator.batch_tests) == expected
    return result


# -- faults and crashes


@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_with_an_unknown_outcome_is_not_sent_again(
    emulator: Emulator, store: Any, connect: Any, fault: str
) -> None:
    kind, started, fails = FAULTS[fault]
    connect(emulator, **timeouts(kind))
    emulator.faults.add(kind, route=STARTS, times=1)
    with fast(emulator, pause=0.3 if "later" in fault else 0):
        if fails:
            with pytest.raises(AirflowFailException, match=r"unknown.*not sent again.*dashboard.*'resend'"):
                run_try(simulation(), store=store, dag_run=dag_run())
        else:
            result = run_try(simulation(), store=store, dag_run=dag_run())
            assert result["batch_test_ids"] == list(emulator.batch_tests)
    assert len(emulator.batch_tests) == started
    retry(emulator, None if fails else started, store=store)
    assert emulator.count(STARTS) == (2 if fault == "429" else 1)


@pytest.mark.parametrize("kill", KILLS)
def test_a_retry_after_a_killed_worker_finds_the_batch_test(
    emulator: Emulator, store: Any, kill: str
) -> None:
    step, operation, nth, started, with_store, without = KILLS[kill]
    first = simulation(poll_interval=0.05, wait_timeout=3)
    killed(step, lambda: run_try(first, store=store, dag_run=dag_run()), operation, nth)
    assert len(emulator.batch_tests) == started
    result = retry(emulator, with_store if store else without, store=store)
    if result is not None:
        assert result["batch_test_ids"] == list(emulator.batch_tests)
        assert result["passed"] == 2


@pytest.mark.parametrize("kill", SECOND_KILLS)
def test_a_retry_after_a_killed_worker_finds_the_batch_test_of_repeated_tests(
    store: Any, connect: Any, kill: str
) -> None:
    step, operation, started, with_store, without = SECOND_KILLS[kill]
    with Emulator(clock=Clock(speed=600)) as emulator:
        connect(emulator)
        add_agent(emulator)
        add_case(emulator, "Books")
        add_case(emulator, "Cancels", "fail", "pass")
        first = simulation(poll_interval=0.05, wait_timeout=20)
        killed(step, lambda: run_try(first, store=store, dag_run=dag_run()), operation, nth=2)
        assert len(emulator.batch_tests) == started
        result = retry(emulator, with_store if store else without, store=store)
        if result is not None:
            assert result["batch_test_ids"] == list(emulator.batch_tests)
            assert result["flaky"] == ["Cancels"]


def test_a_batch_test_that_still_runs_shows_that_no_other_was_started_after_it(
    emulator: Emulator, store: Any
) -> None:
    emulator.edit_test_case(add_case(emulator, "Pays"), verdicts=["fail", "pass"])
    killed("waiting", lambda: run_try(simulation(poll_interval=0.05), store=store, dag_run=dag_run()))
    assert retry(emulator, 2, store=store)["flaky"] == ["Pays"]


def test_a_restored_trigger_waits_for_the_same_batch_test(emulator: Emulator, store: Any) -> None:
    with fast(emulator):
        result = run_deferred(lambda: simulation(deferrable=True), store=store, dag_run=dag_run())
    assert result["batch_test_ids"] == list(emulator.batch_tests)
    assert len(emulator.batch_tests) == 1


def test_a_retry_knows_after_a_deferred_wait_that_it_has_seen_the_batch_test_run(
    emulator: Emulator, store: Any
) -> None:
    emulator.edit_test_case(add_case(emulator, "Pays"), verdicts=["fail", "pass"])
    killed("waiting", lambda: run_try(simulation(poll_interval=0.05), store=store, dag_run=dag_run()))
    options = {"dag_run": dag_run(), "store": store, "try_number": 2}
    with fast(emulator):
        deferred = defer(simulation(deferrable=True), **options)
        assert len(emulator.batch_tests) == 1
        result = run_try(simulation(), **continuation(deferred), **options)
    assert (result["flaky"], len(emulator.batch_tests)) == (["Pays"], 2)


def test_a_retry_without_a_store_does_not_repeat_tests_of_a_complete_batch_test(emulator: Emulator) -> None:
    """It cannot know whether the first try has started another batch test after it."""
    emulator.edit_test_case(add_case(emulator, "Pays"), verdicts=["fail", "pass"])
    killed("waiting", lambda: run_try(simulation(poll_interval=0.05), dag_run=dag_run()))
    emulator.clock.advance(100)
    retry(emulator, None)
    assert len(emulator.batch_tests) == 1


@pytest.mark.parametrize("cleared_at", [0, 1])
def test_a_rejected_batch_test_can_be_started_after_the_cause_is_fixed(
    emulator: Emulator, store: Any, cleared_at: int
) -> None:
    emulator.test_run_credit = 0
    with pytest.raises(AirflowFailException, match="402") as error:
        run_try(simulation(), store=store, dag_run=dag_run())
    assert ("Without Airflow's task state store" in str(error.value)) == (store is None)
    emulator.test_run_credit = None
    retry(emulator, 1 if store else None, store=store, cleared_at=cleared_at)
    if store is None:
        retry(emulator, 1, simulation(on_clear="resend"), cleared_at=1)


def test_a_task_that_failed_before_the_request_can_be_retried(emulator: Emulator, state_store: Any) -> None:
    emulator.faults.add(Fault.status(500), route="get-agent", times=8)
    with fast(emulator), pytest.raises(RetellError, match="500"):
        run_try(simulation(), store=state_store, dag_run=dag_run())
    retry(emulator, 1, store=state_store)


def test_a_rejected_repetition_can_be_started_by_a_clear(emulator: Emulator, state_store: Any) -> None:
    emulator.edit_test_case(add_case(emulator, "Pays"), verdicts=["fail", "pass"])
    emulator.faults.add(Fault.status(402), route=STARTS, after=1, times=1)
    with fast(emulator), pytest.raises(AirflowFailException, match="402"):
        run_try(simulation(), store=state_store, dag_run=dag_run())
    assert retry(emulator, 2, store=state_store, cleared_at=1)["flaky"] == ["Pays"]


# -- retries, clears and loops


def attempt(
    emulator: Emulator,
    on_clear: Any,
    ti: Ti,
    store: StateStore | None,
    started: datetime | None = None,
    **context: Any,
) -> Any:
    options = {**context, **({"task_state_store": store} if store else {})}
    with fast(emulator):
        return run_task(simulation(on_clear=on_clear), ti=ti, **{"dag_run": dag_run(started), **options})


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("event", AGAIN)
def test_a_retry_or_clear_starts_another_batch_test_only_with_resend(
    emulator: Emulator, tmp_path: Path, event: str, kind: str
) -> None:
    store = store_of(kind, tmp_path)
    make_ti = new_ti if kind == "discarded" else Ti
    on_clear = "resend" if "resend" in event else "skip"
    first = attempt(emulator, on_clear, make_ti(1, 1), store)
    is_clear = event.startswith("clear")
    max_tries = 2 if is_clear else 1
    # A clear of a DAG run that has ended gives it a new start date.
    started = datetime.now(timezone.utc) + timedelta(hours=1) if is_clear else None
    if is_clear and kind == "discarded" and store:
        store.clear()
    then, finally_ = AGAIN[event][STORES.index(kind)]
    second = attempt(emulator, on_clear, make_ti(2, max_tries), store, started)
    assert (second["batch_test_ids"] == first["batch_test_ids"]) == (then == 1)
    assert len(emulator.batch_tests) == then
    if finally_ == FAILS:
        with pytest.raises(AirflowFailException, match="may have sent"):
            attempt(emulator, on_clear, make_ti(3, max_tries), store, started)
    else:
        third = attempt(emulator, on_clear, make_ti(3, max_tries), store, started)
        assert third["batch_test_ids"] == second["batch_test_ids"]
    assert len(emulator.batch_tests) == then


def test_a_clear_of_a_running_task_on_airflow_3_4_finds_the_batch_test(
    emulator: Emulator, state_store: StateStore
) -> None:
    """Airflow then discards the store, and does not change ``max_tries``."""
    first = attempt(emulator, "skip", new_ti(1, 1), state_store)
    state_store.clear()
    second = attempt(
        emulator, "skip", new_ti(2, 1), state_store, datetime.now(timezone.utc) - timedelta(minutes=1)
    )
    assert second["batch_test_ids"] == first["batch_test_ids"]


def test_a_retry_on_airflow_3_4_of_a_task_that_sent_nothing_starts_the_batch_test(
    emulator: Emulator, state_store: StateStore
) -> None:
    emulator.faults.add(Fault.status(500), route="get-agent", times=8)
    with pytest.raises(RetellError, match="500"):
        attempt(emulator, "skip", new_ti(1, 1), state_store)
    assert attempt(emulator, "skip", new_ti(2, 1), state_store)["passed"] == 2


def test_each_iteration_of_a_task_loop_has_a_batch_test_of_its_own(
    emulator: Emulator, tmp_path: Path
) -> None:
    region = uuid4()
    for index, total in ((0, 1), (1, 2)):
        store = store_of("kept", tmp_path, index)
        first = attempt(emulator, "skip", new_ti(1, 1, region, index), store)
        again = attempt(emulator, "skip", new_ti(2, 1, region, index), store)
        assert again["batch_test_ids"] == first["batch_test_ids"]
        assert len(emulator.batch_tests) == total


def test_an_iteration_that_a_clear_has_created_again_finds_the_batch_test(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Airflow then begins a new region with an empty store, and counts the tries from 1."""
    first = attempt(emulator, "skip", new_ti(1, 1, uuid4()), store_of("kept", tmp_path))
    cleared = dag_run(datetime.now(timezone.utc) + timedelta(hours=1))
    cleared.clear_number = 1
    again = attempt(
        emulator,
        "skip",
        new_ti(1, 1, uuid4()),
        store_of("kept", tmp_path, 1),
        dag_run=cleared,
    )
    assert again["batch_test_ids"] == first["batch_test_ids"]


def test_a_rescheduled_try_finds_the_batch_test(emulator: Emulator, state_store: StateStore) -> None:
    """Airflow 3.4 then keeps the number of the try, and the store."""
    first = attempt(emulator, "skip", new_ti(1, 1), state_store)
    again = attempt(emulator, "skip", new_ti(1, 1), state_store, task_reschedule_count=1)
    assert again["batch_test_ids"] == first["batch_test_ids"]
    state_store.clear()
    lost = attempt(emulator, "skip", new_ti(1, 1), None, task_reschedule_count=1)
    assert lost["batch_test_ids"] == first["batch_test_ids"]


def test_each_mapped_task_has_a_batch_test_of_its_own(emulator: Emulator, store: Any) -> None:
    with fast(emulator):
        for index in (0, 1):
            run_try(simulation(), map_index=index, store=store, dag_run=dag_run())
    assert len(emulator.batch_tests) == 2


# -- what counts as the same batch test


OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "another version": ({"agent_version": 1}, {"agent_version": 2}, "agent_version was 1 and is now 2"),
    "a later draft": ({}, {}, "agent_version was 1 and is now 2"),
    "another agent": ({}, {"agent_id": "agent_2"}, "agent_id was agent_1 and is now agent_2"),
    "fewer test cases": ({"tests": ["Books", "Cancels"]}, {"tests": ["Cancels"]}, "no longer has Books"),
    "other test cases": (
        {"tests": ["Books"]},
        {"tests": ["Cancels"]},
        "no longer has Books and now has Cancels",
    ),
}


@pytest.mark.parametrize("cleared_at", [0, 1], ids=["retry", "clear"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_batch_test_of_something_else_does_not_count(
    emulator: Emulator, state_store: StateStore, name: str, cleared_at: int
) -> None:
    """An unsimulated version could be published otherwise."""
    before, after, says = OTHERS[name]
    ids = {case["name"]: case["test_case_definition_id"] for case in emulator.test_cases.values()}
    for case in ids:
        says = says.replace(case, ids[case])

    def given(tests: list[str] | None = None, **arguments: Any) -> Any:
        if tests is None:
            return simulation(**arguments)
        return simulation(
            test_case_definition_ids=[ids[each] for each in tests], agent_version=1, **arguments
        )

    with fast(emulator):
        first = run_try(given(**before), store=state_store, dag_run=dag_run())
        emulator.add_agent_version(AGENT)
        emulator.add_agent(agent_id="agent_2")
        emulator.add_test_case(agent_id="agent_2", name="Books")
        again = {"store": state_store, "dag_run": dag_run(), "try_number": 2, "cleared_at": cleared_at}
        with pytest.raises(
            AirflowFailException, match=rf"{says}.*set on_clear='resend' on the task in the DAG file"
        ) as error:
            run_try(given(**after), **again)
        assert f"started batch test {first['batch_test_ids'][0]}" in str(error.value)
        assert len(emulator.batch_tests) == 1
        unchanged = run_try(
            given(**before) if name.endswith("cases") else simulation(agent_version=1), **again
        )
        assert unchanged["batch_test_ids"] == first["batch_test_ids"]
        again["cleared_at"] = 1
        resent = run_try(given(on_clear="resend", **after), **again)
    assert resent["agent_version"] != 1 or name.endswith("cases")
    assert len(emulator.batch_tests) == 2


@pytest.mark.parametrize("kind", STORES)
def test_a_clear_with_another_version_fails_with_every_store(
    emulator: Emulator, tmp_path: Path, kind: str
) -> None:
    store = store_of(kind, tmp_path)
    make_ti = new_ti if kind == "discarded" else Ti
    attempt(emulator, "skip", make_ti(1, 1), store)
    emulator.add_agent_version(AGENT)
    if kind == "discarded" and store:
        store.clear()
    with pytest.raises(AirflowFailException, match=r"set on_clear='resend' on the task in the DAG file"):
        attempt(emulator, "skip", make_ti(2, 2), store)
    assert len(emulator.batch_tests) == 1


def test_the_order_of_the_test_cases_makes_no_difference(emulator: Emulator, state_store: StateStore) -> None:
    ids = list(emulator.test_cases)
    with fast(emulator):
        first = run_try(simulation(test_case_definition_ids=ids), store=state_store, dag_run=dag_run())
    again = simulation(test_case_definition_ids=ids[::-1])
    assert retry(emulator, 1, again, store=state_store) == first


def test_a_continuation_that_runs_twice_starts_no_batch_test_again(
    emulator: Emulator, store: StateStore | None
) -> None:
    """The event of the trigger has only the first batch test, and the store or Retell's list has both."""
    add_case(emulator, "Pays", "fail", "pass")
    options = {"dag_run": dag_run(), "store": store}
    with fast(emulator):
        step = continuation(defer(simulation(deferrable=True), **options))
        results = [run_try(simulation(), **step, **options) for _ in range(2)]
    assert results[0] == results[1]
    assert len(emulator.batch_tests) == 2


# -- what counts as found


def test_a_batch_test_from_before_the_dag_run_is_not_taken_for_that_of_the_task(emulator: Emulator) -> None:
    an_hour_ago = (emulator.clock.now() - 3600) * 1000
    emulator.add_batch_test(ENGINE, list(emulator.test_cases), creation_timestamp=an_hour_ago)
    retry(emulator, None)


def test_a_batch_test_of_other_tests_or_another_version_is_not_found(emulator: Emulator) -> None:
    ids = list(emulator.test_cases)
    emulator.add_batch_test(ENGINE, ids[:1])
    emulator.add_batch_test({**ENGINE, "version": 0}, ids)
    retry(emulator, None)


def test_a_batch_test_that_is_listed_late_is_found(connect: Any, store: Any) -> None:
    with Emulator(clock=Clock(frozen=True), batch_test_list_delay=25) as emulator:
        connect(emulator)
        add_agent(emulator)
        add_case(emulator, "Books")
        emulator.faults.add(Fault.drop_after(), route=STARTS)
        with fast(emulator):
            assert run_try(simulation(), store=store, dag_run=dag_run())["passed"] == 1
        assert len(emulator.batch_tests) == 1


def test_the_tables_in_the_guide_match_these_scenarios() -> None:
    kills = {
        name: (started, cell(with_store), cell(without))
        for name, (*_, started, with_store, without) in (*KILLS.items(), *SECOND_KILLS.items())
    }
    again = {
        name: [f"{then}, then {after}" if after == FAILS else then for then, after in stores]
        for name, stores in AGAIN.items()
    }
    others = {CHANGED: [FAILS] * 3, LOOP: ("-", 2, "-"), RESCHEDULE: ("-", 1, "-")}
    check_guide("simulations.md", {**kills, TRIGGERER: (1, 1, 1), **again, **others})
