"""The limits of the phone alert: no failure is called about twice, no matter how many processes report it."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alerts import FROM, TO, WAYS, context, notifier, notify
from task_forker import Forker
from tasks import connect

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.notifications.alert import PLACED_AT_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator


class TestLimits:
    def test_failure_that_is_reported_twice_is_one_call(self, emulator: Emulator) -> None:
        for _ in range(3):
            for way in WAYS:
                notify(notifier(cooldown=0, max_calls_per_run=9), context(), way)
        assert len(emulator.placed) == 1
        notify(notifier(cooldown=0, max_calls_per_run=9), context(try_number=2))
        notify(notifier(cooldown=0, max_calls_per_run=9), context("other"))
        assert len(emulator.placed) == 3

    def test_run_calls_at_most_max_calls_per_run_times(self, emulator: Emulator) -> None:
        for index in range(6):
            notify(notifier(cooldown=0, max_calls_per_run=3), context(f"task_{index}"))
        assert len(emulator.placed) == 3
        notify(notifier(cooldown=0, max_calls_per_run=3), context(run="run_2"))
        notify(notifier(cooldown=0, max_calls_per_run=3), context(dag="dag_b"))
        notify(notifier(cooldown=0, max_calls_per_run=3, to_number=FROM), context())
        assert len(emulator.placed) == 6

    @pytest.mark.parametrize("cooldown", [900, timedelta(minutes=15)])
    def test_dag_does_not_call_again_within_the_cooldown(self, emulator: Emulator, cooldown: Any) -> None:
        alert = notifier(cooldown=cooldown, max_calls_per_run=9)
        notify(alert, context())
        notify(alert, context("other"))
        notify(alert, context(run="run_2"))
        assert len(emulator.placed) == 1
        emulator.placed[0]["metadata"][PLACED_AT_METADATA] -= 901
        notify(alert, context(run="run_2"))
        assert len(emulator.placed) == 2
        notify(alert, context(run="run_3"))
        assert len(emulator.placed) == 2

    def test_unanswered_call_does_not_extend_the_cooldown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        retells = Clock()
        outcomes = {TO: "dial_no_answer"}
        with Emulator(outcomes=outcomes, clock=retells, lifecycle=Lifecycle()) as emulator:
            connect(monkeypatch, emulator, list_quota="100000/1")
            notify(notifier(cooldown=100), context())
            retells.advance(60)
            assert "start_timestamp" not in emulator.placed[0]
            emulator.placed[0]["metadata"][PLACED_AT_METADATA] -= 101
            notify(notifier(cooldown=100), context(run="run_2"))
            assert len(emulator.placed) == 2

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("fault", [Fault.status(503), Fault.status(403), Fault.garbage()])
    def test_run_calls_once_if_calls_cannot_be_listed(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, fault: Fault, way: str
    ) -> None:
        caplog.set_level(logging.INFO)
        emulator.faults.add(fault, route="list-calls", times=0)
        for index in range(4):
            notify(notifier(cooldown=0, max_calls_per_run=3), context(f"task_{index}"), way)
        assert len(emulator.placed) == 1
        assert "; earlier calls could not be listed, so more calls may follow: list-calls" in caplog.text
        notify(notifier(), context(run="run_2"), way)
        assert len(emulator.placed) == 2

    def test_every_run_calls_once_within_the_cooldown_if_calls_cannot_be_listed(
        self, emulator: Emulator
    ) -> None:
        emulator.faults.add(Fault.status(403), route="list-calls", times=0)
        for run in ("run_1", "run_2"):
            notify(notifier(cooldown=900), context(run=run))
        assert len(emulator.placed) == 2

    def test_deployments_do_not_silence_each_other(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, placed in (("staging", 1), ("production", 2), ("staging", 2)):
            monkeypatch.setenv("AIRFLOW__RETELL__DEPLOYMENT", name)
            notify(notifier(), context())
            assert len(emulator.placed) == placed
        variables = [call["retell_llm_dynamic_variables"] for call in emulator.placed]
        assert {named["dag_id"] for named in variables} == {"dag_a"}

    def test_lost_response_is_no_second_call(self, emulator: Emulator) -> None:
        emulator.faults.add(Fault.drop_after(), route="create-phone-call")
        with no_waiting(emulator.clock.advance):
            notify(notifier(), context())
        assert emulator.count("create-phone-call") == 2
        assert len(emulator.placed) == 1


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    """The process that forks reporters."""
    with Forker("tests.notifications.reporter") as forker:
        yield forker


def report_all(forker: Forker, runs: int, arguments: dict[str, Any]) -> None:
    """Report 60 failures from three processes, each from 20 threads at once."""
    forker.start(
        connection=os.environ["AIRFLOW_CONN_RETELL_DEFAULT"],
        numbers=[list(range(first, first + 20)) for first in (0, 20, 40)],
        runs=runs,
        arguments=arguments,
    )
    assert forker.status() == 0


@pytest.mark.slow
class TestConcurrentReports:
    """60 failures at once, from three processes with 20 threads each."""

    @pytest.mark.parametrize(
        ("runs", "arguments", "expected"),
        [
            (1, {}, 1),
            (1, {"cooldown": 0}, 1),
            (1, {"cooldown": 0, "max_calls_per_run": 3}, 3),
            (1, {"max_calls_per_run": 3}, 1),
            (6, {}, 1),  # other runs of the DAG, within the cooldown
            (6, {"cooldown": 0}, 6),
        ],
    )
    def test_limits_hold(
        self,
        monkeypatch: pytest.MonkeyPatch,
        forker: Forker,
        runs: int,
        arguments: dict[str, Any],
        expected: int,
    ) -> None:
        with Emulator(quotas=None, concurrency=1000) as emulator:
            connect(monkeypatch, emulator, list_quota="100000/1")
            report_all(forker, runs, arguments)
            assert emulator.count("list-calls") == 60
            assert len(emulator.placed) <= expected
            # Concurrent reporters share one call, so later reporters may use up the limit.
            for number in range(60, 65):
                notify(notifier(**arguments), context(f"late_{number}", run="run_0"))
            assert len(emulator.placed) == expected

    def test_limits_hold_if_retell_limits_the_rate(
        self, monkeypatch: pytest.MonkeyPatch, forker: Forker
    ) -> None:
        with Emulator(quotas={"list-calls": (15, 60)}) as emulator:
            connect(monkeypatch, emulator, list_quota="100000/1")
            report_all(forker, 1, {"cooldown": 0, "max_calls_per_run": 2})
            assert emulator.count("list-calls", status=429) > 0
            assert 1 <= len(emulator.placed) <= 2
