"""PhoneCallNotifier against the emulator: one call, whoever reports, however often."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.notifications.alert import PLACED_AT
from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

if TYPE_CHECKING:
    from collections.abc import Iterator

AIRFLOW = tuple(map(int, version("apache-airflow").split(".")[:2]))
FROM, TO = "+14155550101", "+14155550102"
PRIVATE = "zebra-umbrella"
DAG_A = DAG("dag_a", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))


def notifier(**arguments: Any) -> PhoneCallNotifier:
    return PhoneCallNotifier(**{"from_number": FROM, "to_number": TO, **arguments})


def context(
    task: str = "load", run: str = "run_1", dag: str = "dag_a", try_number: int = 1, **more: Any
) -> dict[str, Any]:
    """As much of a task callback's context as Airflow's own code and ours use."""
    ti = SimpleNamespace(dag_id=dag, run_id=run, task_id=task, map_index=-1, try_number=try_number)
    return {
        "dag": DAG_A,
        "dag_run": SimpleNamespace(dag_id=dag, run_id=run),
        "ti": ti,
        "task_instance": ti,
        "exception": ValueError(PRIVATE),
        **more,
    }


def call(notifier: PhoneCallNotifier, given: dict[str, Any], way: str = "sync") -> None:
    if way == "sync":
        notifier(given)
    else:
        asyncio.run(notifier.async_notify(given))


def variables(emulator: Emulator) -> list[dict[str, str]]:
    return [placed["retell_llm_dynamic_variables"] for placed in emulator.placed]


@pytest.fixture
def emulator(retell_emulator: Emulator, retell_connection: str) -> Emulator:
    return retell_emulator


@pytest.mark.parametrize("way", ["sync", "async"])
def test_it_calls_and_tells_what_failed(emulator: Emulator, way: str, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    given = context()
    keys = set(given)
    call(notifier(override_agent_id="agent_1", dynamic_variables={"team": "data"}), given, way)
    (placed,) = emulator.placed
    assert (placed["from_number"], placed["to_number"], placed["agent_id"]) == (FROM, TO, "agent_1")
    assert placed["retell_llm_dynamic_variables"] == {
        "dag_id": "dag_a",
        "run_id": "run_1",
        "task_id": "load",
        "map_index": "-1",
        "reason": "ValueError",
        "team": "data",
    }
    assert f"Phone alert: call {placed['call_id']}" in caplog.text
    assert [text for text in (FROM, TO, PRIVATE, emulator.api_key) if text in caplog.text] == []
    assert set(given) == keys  # other callbacks get the context as it was


def test_templates(emulator: Emulator) -> None:
    given = context(to=TO, error=PRIVATE, params={"agent": "agent_1"})
    told = notifier(
        from_number="{{ from_ }}",
        to_number="{{ to }}",
        override_agent_id="{{ params.agent }}",
        reason="{{ ti.task_id }} of {{ dag_run.run_id }}: {{ error }}",
        dynamic_variables={"who": "{{ dag.dag_id }}"},
        retell_conn_id="retell_{{ 'default' }}",
    )
    told({**given, "from_": FROM})
    assert (emulator.placed[0]["from_number"], emulator.placed[0]["to_number"]) == (FROM, TO)
    assert variables(emulator)[0]["reason"] == f"load of run_1: {PRIVATE}"
    assert variables(emulator)[0]["who"] == "dag_a"


NATIVE = DAG(
    "dag_n",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    render_template_as_native_obj=True,
)


def test_a_dag_whose_templates_render_to_native_objects(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_7", os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])
    told = notifier(
        to_number="{{ to }}",
        override_agent_id="{{ 12 }}",
        reason="{{ 0 }}",
        dynamic_variables={"rows": "{{ 3 }}", "of": "{{ dag.dag_id }}"},
        retell_conn_id="7",
    )
    told({**context(to=TO), "dag": NATIVE})
    (placed,) = emulator.placed
    assert (placed["from_number"], placed["to_number"], placed["agent_id"]) == (FROM, TO, "12")
    given = variables(emulator)[0]
    assert (given["reason"], given["rows"], given["of"]) == ("0", "3", "dag_n")


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"dag": DAG_A, "run_id": "run_1", "reason": "timed_out"}, ("dag_a", "run_1", "", "timed_out")),
        (context(reason="task_failure"), ("dag_a", "run_1", "load", "task_failure")),
        ({}, ("", "", "", "failed")),
        (
            {"dag_run": {"dag_id": "dag_b", "dag_run_id": "run_2"}, "deadline": {"id": "one"}, "dag": DAG_A},
            ("dag_b", "run_2", "", "deadline missed"),
        ),
    ],
    ids=["DAG without a task", "DAG", "nothing", "deadline"],
)
def test_whatever_reports(emulator: Emulator, given: dict[str, Any], told: tuple[str, ...], way: str) -> None:
    if way == "sync" and "dag" not in given:
        given = {**given, "dag": DAG_A}
        told = ("dag_a", *told[1:])
    call(notifier(), given, way)
    assert tuple(variables(emulator)[0][name] for name in ("dag_id", "run_id", "task_id", "reason")) == told


def test_a_template_that_cannot_be_rendered_keeps_nobody_from_being_called(
    emulator: Emulator, caplog: Any
) -> None:
    notifier(reason="{{ missing.much }}")(context())
    assert variables(emulator)[0]["reason"] == "{{ missing.much }}"
    assert "reason could not be rendered: UndefinedError" in caplog.text


def test_nor_does_it_keep_other_templates_from_being_rendered(emulator: Emulator, caplog: Any) -> None:
    told = notifier(
        override_agent_id="{{ missing.much }}",
        reason="{{ missing.much }}",
        dynamic_variables={"who": "{{ dag.dag_id }}"},
        retell_conn_id="retell_{{ 'default' }}",
    )
    told(context())
    (placed,) = emulator.placed
    assert placed.get("agent_id") != "{{ missing.much }}"
    assert "the number's own agent calls" in caplog.text
    assert variables(emulator)[0]["who"] == "dag_a"
    assert PRIVATE not in caplog.text


def test_the_reason_of_a_dags_callback_can_be_used_in_a_template(emulator: Emulator) -> None:
    notifier(reason="the DAG: {{ reason }}")({"dag": DAG_A, "run_id": "run_1", "reason": "timed_out"})
    assert variables(emulator)[0]["reason"] == "the DAG: timed_out"


class TestLimits:
    def test_one_failure_that_is_reported_twice_is_one_call(self, emulator: Emulator) -> None:
        for _ in range(3):
            for way in ("sync", "async"):
                call(notifier(cooldown=0, max_calls_per_run=9), context(), way)
        assert len(emulator.placed) == 1
        call(notifier(cooldown=0, max_calls_per_run=9), context(try_number=2))
        call(notifier(cooldown=0, max_calls_per_run=9), context("other"))
        assert len(emulator.placed) == 3

    def test_a_run_calls_no_more_than_it_may(self, emulator: Emulator) -> None:
        for index in range(6):
            call(notifier(cooldown=0, max_calls_per_run=3), context(f"task_{index}"))
        assert len(emulator.placed) == 3
        call(notifier(cooldown=0, max_calls_per_run=3), context(run="run_2"))
        call(notifier(cooldown=0, max_calls_per_run=3), context(dag="dag_b"))
        call(notifier(cooldown=0, max_calls_per_run=3, to_number=FROM), context())
        assert len(emulator.placed) == 6

    def test_cooldown(self, emulator: Emulator) -> None:
        call(notifier(max_calls_per_run=9), context())
        call(notifier(max_calls_per_run=9), context("other"))
        call(notifier(max_calls_per_run=9), context(run="run_2"))
        assert len(emulator.placed) == 1
        emulator.placed[0]["metadata"][PLACED_AT] -= 901
        call(notifier(max_calls_per_run=9), context(run="run_2"))
        assert len(emulator.placed) == 2
        call(notifier(max_calls_per_run=9), context(run="run_3"))
        assert len(emulator.placed) == 2

    def test_a_call_that_nobody_answered_silences_no_later_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock()
        with Emulator(outcomes={TO: "dial_no_answer"}, clock=clock, lifecycle=Lifecycle()) as emulator:
            connect(monkeypatch, emulator)
            call(notifier(cooldown=100), context())
            clock.advance(60)
            assert "start_timestamp" not in emulator.placed[0]
            emulator.placed[0]["metadata"][PLACED_AT] -= 101
            call(notifier(cooldown=100), context(run="run_2"))
            assert len(emulator.placed) == 2

    @pytest.mark.parametrize("way", ["sync", "async"])
    @pytest.mark.parametrize("fault", [Fault.status(503), Fault.status(403), Fault.garbage()])
    def test_it_calls_even_if_calls_cannot_be_listed(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: Any, fault: Fault, way: str
    ) -> None:
        caplog.set_level(logging.INFO)
        from airflow_provider_retell.api.retry import RetryLimits
        from airflow_provider_retell.notifications import phone_call

        monkeypatch.setattr(phone_call, "_retry_limits", lambda: RetryLimits(attempts=1))
        emulator.faults.add(fault, route="list-calls", times=0)
        for index in range(4):
            call(notifier(cooldown=0, max_calls_per_run=3), context(f"task_{index}"), way)
        assert len(emulator.placed) == 1
        assert "; earlier calls could not be looked for, so more may follow: list-calls" in caplog.text
        call(notifier(), context(run="run_2"), way)
        assert len(emulator.placed) == 2

    def test_another_airflow_calls_about_its_own_failure(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, placed in (("staging", 1), ("production", 2), ("staging", 2)):
            monkeypatch.setenv("AIRFLOW__RETELL__DEPLOYMENT", name)
            call(notifier(), context())
            assert len(emulator.placed) == placed
        assert {told["dag_id"] for told in variables(emulator)} == {"dag_a"}

    def test_an_answer_that_was_lost_is_no_second_call(self, emulator: Emulator) -> None:
        emulator.faults.add(Fault.drop_after(), route="create-phone-call")
        call(notifier(), context())
        assert len(emulator.placed) == 1


def connect(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
    connection["extra"] = json.dumps({"list_quota": "100000/1"})
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))


class Reporters:
    """Processes that report failures, each from 20 threads at once."""

    def __init__(self, count: int) -> None:
        script = Path(__file__).with_name("reporter.py")
        self.processes = [
            subprocess.Popen(
                [sys.executable, str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
                text=True,
            )
            for _ in range(count)
        ]
        self.wait("ready")

    def wait(self, word: str) -> None:
        for process in self.processes:
            with ThreadPoolExecutor(1) as pool:
                timer = threading.Timer(60, process.kill)
                timer.start()
                lines = pool.submit(lambda p=process: next((x for x in p.stdout if x.strip() == word), None))
                assert lines.result() is not None, "a reporter has died"
                timer.cancel()

    def report(self, runs: int, arguments: dict[str, Any]) -> None:
        for index, process in enumerate(self.processes):
            numbers = list(range(20 * index, 20 * index + 20))
            command = {"connection": os.environ["AIRFLOW_CONN_RETELL_DEFAULT"], "numbers": numbers}
            process.stdin.write(json.dumps({**command, "runs": runs, "arguments": arguments}) + "\n")
            process.stdin.flush()
        self.wait("done")

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def reporters() -> Iterator[Reporters]:
    running = Reporters(3)
    yield running
    running.stop()


@pytest.mark.slow
class TestStorm:
    """60 failures at once, from three processes with 20 threads each."""

    @pytest.fixture
    def emulator(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
        with Emulator(quotas=None, concurrency=1000) as emulator:
            connect(monkeypatch, emulator)
            yield emulator

    @pytest.mark.parametrize(
        ("runs", "arguments", "expected"),
        [
            (1, {}, 1),
            (1, {"cooldown": 0}, 1),
            (1, {"cooldown": 0, "max_calls_per_run": 3}, 3),
            (1, {"max_calls_per_run": 3}, 1),
            (6, {}, 1),  # other runs of the DAG, within the cool-down
            (6, {"cooldown": 0}, 6),
        ],
    )
    def test_the_limits_hold(
        self, emulator: Emulator, reporters: Reporters, runs: int, arguments: dict[str, Any], expected: int
    ) -> None:
        reporters.report(runs, arguments)
        assert emulator.count("list-calls") == 60
        assert len(emulator.placed) <= expected
        # Those that asked at the same moment were told of one call; so there may be room for later ones.
        for number in range(60, 65):
            call(notifier(**arguments), context(f"late_{number}", run="run_0"))
        assert len(emulator.placed) == expected

    def test_a_throttled_storm(self, monkeypatch: pytest.MonkeyPatch, reporters: Reporters) -> None:
        with Emulator(quotas={"list-calls": (15, 60)}) as emulator:
            connect(monkeypatch, emulator)
            reporters.report(1, {"cooldown": 0, "max_calls_per_run": 2})
            assert emulator.count("list-calls", status=429) > 0
            assert 1 <= len(emulator.placed) <= 2


class TestErrors:
    """They are told in the log, without anything private, and go no further."""

    @pytest.mark.parametrize("way", ["sync", "async"])
    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            (Fault.status(401), "Retell answered 401"),
            (Fault.status(402), "Retell answered 402"),
            (Fault.status(400, body={"status": "error", "message": f"{TO} is bad"}), "Retell answered 400"),
            (Fault.garbage(), "not as its API documents"),
        ],
        ids=["401", "402", "400", "garbage"],
    )
    def test_of_retell(self, emulator: Emulator, caplog: Any, way: str, fault: Fault, says: str) -> None:
        caplog.set_level(logging.DEBUG)
        emulator.faults.add(fault, route="create-phone-call", times=0)
        call(notifier(), context(), way)
        assert says in caplog.text
        assert [text for text in (FROM, TO, PRIVATE, emulator.api_key) if text in caplog.text] == []

    @pytest.mark.parametrize("way", ["sync", "async"])
    @pytest.mark.parametrize(
        "arguments", [{"to_number": PRIVATE}, {"from_number": ""}, {"retell_conn_id": "none"}]
    )
    def test_of_the_user(self, emulator: Emulator, caplog: Any, way: str, arguments: dict[str, Any]) -> None:
        call(notifier(**arguments), context(), way)
        assert "Phone alert: no call was placed" in caplog.text
        assert PRIVATE not in caplog.text
        assert emulator.placed == []

    @pytest.mark.parametrize("way", ["sync", "async"])
    def test_a_missing_connection_is_named(self, caplog: Any, way: str) -> None:
        call(notifier(retell_conn_id="retell_of_nobody"), context(), way)
        (line,) = [record.getMessage() for record in caplog.records if record.name.endswith("phone_call")]
        assert line.startswith("Phone alert: no call was placed: ")
        assert "retell_of_nobody" in line

    def test_of_the_network_do_not_hold_the_worker_up(self, emulator: Emulator, caplog: Any) -> None:
        emulator.stop()
        began = time.monotonic()
        call(notifier(), context())
        assert time.monotonic() - began < 20
        assert "no call was placed" in caplog.text

    @pytest.mark.parametrize("way", ["sync", "async"])
    def test_a_server_that_hangs_is_given_up_before_airflow_ends_the_callback(
        self, emulator: Emulator, caplog: Any, way: str
    ) -> None:
        emulator.faults.add(Fault.hang(), times=0)
        began = time.monotonic()
        call(notifier(), context(), way)
        assert time.monotonic() - began < 18  # Airflow 3 waits 20 s for a task's callbacks
        assert "no call was placed" in caplog.text
        assert (emulator.count("list-calls"), emulator.count("create-phone-call")) == (1, 2)

    @pytest.mark.parametrize("way", ["sync", "async"])
    def test_a_list_that_hangs_keeps_nobody_from_being_called(self, emulator: Emulator, way: str) -> None:
        emulator.faults.add(Fault.hang(), route="list-calls", times=0)
        call(notifier(), context(), way)
        assert len(emulator.placed) == 1

    def test_a_limit_of_no_calls_is_refused_when_the_dag_is_read(self) -> None:
        with pytest.raises(ValueError, match="max_calls_per_run is 1 or more"):
            notifier(max_calls_per_run=0)


@pytest.mark.skipif(AIRFLOW < (3, 1), reason="deadlines came with Airflow 3.1")
class TestDeadline:
    """By Airflow's own trigger for callbacks of deadlines."""

    def run(self, kwargs: dict[str, Any]) -> list[Any]:
        try:
            from airflow.triggers.callback import CallbackTrigger as Trigger
        except ImportError:
            from airflow.triggers.deadline import DeadlineCallbackTrigger as Trigger

        async def go() -> list[Any]:
            path = f"{PhoneCallNotifier.__module__}.{PhoneCallNotifier.__qualname__}"
            return [event.payload async for event in Trigger(path, kwargs).run()]

        return asyncio.run(go())

    def test_called_once(self, emulator: Emulator) -> None:
        dag_run = {
            "dag_id": "dag_b",
            "dag_run_id": "run_2",
            "logical_date": "2026-01-01T00:00:00Z",
            "conf": None,
        }
        given = {"dag_run": dag_run, "deadline": {"id": "one", "deadline_time": "2026-01-01T00:00:00Z"}}
        arguments = {
            "from_number": FROM,
            "to_number": TO,
            "reason": "{{ dag_run.dag_id }} is late",
            "cooldown": 0,
        }
        for _ in range(2):
            states = self.run({**arguments, "max_calls_per_run": 5, "context": dict(given)})
            assert [str(getattr(s["state"], "value", s["state"])) for s in states] == ["running", "success"]
        assert len(emulator.placed) == 1
        told = variables(emulator)[0]
        assert (told["dag_id"], told["run_id"], told["reason"]) == ("dag_b", "run_2", "dag_b is late")

    def test_a_dag_takes_it(self) -> None:
        try:
            from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference
        except ImportError:
            from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

        callback = AsyncCallback(PhoneCallNotifier, kwargs={"from_number": FROM, "to_number": TO})
        DAG(
            "late",
            schedule=None,
            deadline=DeadlineAlert(
                reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=timedelta(minutes=1), callback=callback
            ),
        )
