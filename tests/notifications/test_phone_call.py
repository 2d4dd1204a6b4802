"""PhoneCallNotifier against the emulator: variables, templates, errors, and the callback of a deadline."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from datetime import timedelta
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alerts import DAG, DAG_A, FROM, PRIVATE, TO, WAYS, context, notifier, notify
from tasks import connect

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks import retell
from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

ABOUT = "Phone alert about DAG dag_a, run run_1: "
NOT_PLACED = "no call was placed"
UNKNOWN = "it is unknown whether a call was placed, look for it in Retell's dashboard"
AIRFLOW = tuple(map(int, version("apache-airflow").split(".")[:2]))


def variables(emulator: Emulator) -> list[dict[str, str]]:
    return [placed["retell_llm_dynamic_variables"] for placed in emulator.placed]


@pytest.mark.parametrize("name", ["from_number", "to_number"])
@pytest.mark.parametrize("bad", ["+1 415 555 0100", "", None, 14155550100])
def test_a_number_that_cannot_be_called_fails_when_the_dag_is_read(name: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a phone number in E.164 format") as error:
        notifier(**{name: bad})
    assert "ignore_e164_validation" not in str(error.value)
    assert "555" not in str(error.value)


def test_each_iteration_of_a_loop_is_an_event_of_its_own(emulator: Emulator) -> None:
    region = uuid4()
    for index in (0, 1, 1):
        given = context(loop=SimpleNamespace(index=index))
        given["ti"].region_id, given["ti"].region_index = region, index
        notify(notifier(cooldown=0, max_calls_per_run=9), given)
    assert len(emulator.placed) == 2


@pytest.mark.parametrize("way", WAYS)
def test_call_has_the_facts_of_the_failure_as_variables(
    emulator: Emulator, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    given = context()
    keys = set(given)
    alert = notifier(override_agent_id="agent_1", retell_llm_dynamic_variables={"team": "data"})
    notify(alert, given, way)
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
    assert f"Phone alert about DAG dag_a, run run_1: placed call {placed['call_id']}" in caplog.text
    assert [text for text in (FROM, TO, PRIVATE, emulator.api_key) if text in caplog.text] == []
    assert set(given) == keys  # other callbacks get the same context


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("given", "expected"),
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
def test_call_is_placed_for_every_kind_of_callback(
    emulator: Emulator, given: dict[str, Any], expected: tuple[str, ...], way: str
) -> None:
    if way == "sync" and "dag" not in given:
        given = {**given, "dag": DAG_A}
        expected = ("dag_a", *expected[1:])
    notify(notifier(), given, way)
    names = ("dag_id", "run_id", "task_id", "reason")
    assert tuple(variables(emulator)[0][name] for name in names) == expected


class TestTemplates:
    def test_fields_are_rendered(self, emulator: Emulator) -> None:
        given = context(to=TO, error=PRIVATE, params={"agent": "agent_1"})
        alert = notifier(
            from_number="{{ from_ }}",
            to_number="{{ to }}",
            override_agent_id="{{ params.agent }}",
            reason="{{ ti.task_id }} of {{ dag_run.run_id }}: {{ error }}",
            retell_llm_dynamic_variables={"who": "{{ dag.dag_id }}"},
            retell_conn_id="retell_{{ 'default' }}",
        )
        alert({**given, "from_": FROM})
        assert (emulator.placed[0]["from_number"], emulator.placed[0]["to_number"]) == (FROM, TO)
        assert variables(emulator)[0]["reason"] == f"load of run_1: {PRIVATE}"
        assert variables(emulator)[0]["who"] == "dag_a"

    def test_native_rendering_keeps_phone_numbers_and_may_turn_other_text_into_numbers(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_7", os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])
        dag = DAG(
            "dag_n",
            schedule=None,
            render_template_as_native_obj=True,
        )
        alert = notifier(
            to_number="{{ to }}",
            override_agent_id="{{ 12 }}",
            reason="{{ 0 }}",
            retell_llm_dynamic_variables={"rows": "{{ 3 }}", "of": "{{ dag.dag_id }}"},
            retell_conn_id="7",
        )
        alert({**context(to=TO), "dag": dag})
        (placed,) = emulator.placed
        assert (placed["from_number"], placed["to_number"], placed["agent_id"]) == (FROM, TO, "12")
        given = variables(emulator)[0]
        assert (given["reason"], given["rows"], given["of"]) == ("0", "3", "dag_n")

    @pytest.mark.parametrize("native", [False, True])
    @pytest.mark.parametrize("bad", ["4155550123", 4155550123, "415_555_0123", "0x5D21DBA00"])
    def test_a_national_number_does_not_ring_abroad(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, bad: Any, native: bool
    ) -> None:
        dag = DAG(
            "dag_n",
            schedule=None,
            render_template_as_native_obj=native,
        )
        notifier(to_number="{{ to }}")({**context(to=bad), "dag": dag})
        assert not emulator.placed
        assert "to_number must be a phone number in E.164 format" in caplog.text
        assert "ignore_e164_validation" not in caplog.text
        assert "555" not in caplog.text

    def test_a_variable_of_the_agent_stays_as_it_is(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        notifier(retell_llm_dynamic_variables={"a": "{% raw %}{{user_name}}{% endraw %}"})(context())
        assert variables(emulator)[0]["a"] == "{{user_name}}"
        assert "could not be rendered" not in caplog.text

    def test_message_about_a_variable_of_the_agent_says_how_to_write_it(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        notifier(retell_llm_dynamic_variables={"greeting": "Hello {{ user_name }}"})(context())
        assert variables(emulator)[0]["greeting"] == "Hello {{ user_name }}"
        assert (
            "retell_llm_dynamic_variables could not be rendered: UndefinedError: 'user_name' is undefined"
            in caplog.text
        )
        assert "write {% raw %}{{user_name}}{% endraw %}" in caplog.text

    @pytest.mark.parametrize("template", ["{{ private + 1 }}", "{{ fail() }}", "{{ ti[private] }}"])
    def test_message_about_a_template_has_no_values(
        self, caplog: pytest.LogCaptureFixture, emulator: Emulator, template: str
    ) -> None:
        def fail() -> None:
            raise ValueError(PRIVATE)

        notifier(reason=template)(context(private=PRIVATE, fail=fail))
        assert "reason could not be rendered: " in caplog.text
        assert PRIVATE not in caplog.text

    @pytest.mark.usefixtures("whole_log")
    def test_other_templates_are_rendered_if_one_cannot_be(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        alert = notifier(
            override_agent_id="{{ missing.much }}",
            reason="{{ missing.much }}",
            retell_llm_dynamic_variables={"who": "{{ dag.dag_id }}"},
            retell_conn_id="retell_{{ 'default' }}",
        )
        alert(context())
        (placed,) = emulator.placed
        assert placed.get("agent_id") != "{{ missing.much }}"
        assert "the agent of from_number speaks instead" in caplog.text
        assert variables(emulator)[0]["reason"] == "{{ missing.much }}"
        assert (
            "Phone alert about DAG dag_a, run run_1: reason could not be rendered: UndefinedError: 'missing' is "
            "undefined. Check the template"
        ) in caplog.messages
        assert variables(emulator)[0]["who"] == "dag_a"
        assert PRIVATE not in caplog.text

    def test_reason_of_a_dags_callback_can_be_used_in_a_template(self, emulator: Emulator) -> None:
        alert = notifier(reason="the DAG: {{ reason }}")
        alert({"dag": DAG_A, "run_id": "run_1", "reason": "timed_out"})
        assert variables(emulator)[0]["reason"] == "the DAG: timed_out"


class TestErrors:
    """Errors are logged without private data, and not raised."""

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize(
        ("fault", "outcome", "calls", "message"),
        [
            (Fault.status(401), NOT_PLACED, 0, "401"),
            (Fault.status(402), NOT_PLACED, 0, "402"),
            (Fault.status(400, body={"status": "error", "message": f"{TO} is bad"}), NOT_PLACED, 0, "400"),
            (Fault.garbage(), UNKNOWN, 0, "without JSON. This is not an answer of Retell's API"),
            (Fault.drop_after(), UNKNOWN, 1, "The connection broke before the answer was complete"),
            (Fault.truncate(), UNKNOWN, 1, "The connection broke before the answer was complete"),
            (Fault.status(500), UNKNOWN, 0, "500"),
        ],
        ids=["401", "402", "400", "garbage", "lost", "truncated", "500"],
    )
    def test_message_does_not_deny_a_call_that_may_have_been_placed(
        self,
        emulator: Emulator,
        caplog: pytest.LogCaptureFixture,
        way: str,
        fault: Fault,
        outcome: str,
        calls: int,
        message: str,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        emulator.faults.add(fault, route="create-phone-call", times=0)
        with no_waiting():
            notify(notifier(), context(), way)
        (line,) = [text for text in caplog.messages if text.startswith(ABOUT)]
        assert line.startswith(f"{ABOUT}{outcome}: ")
        assert message in line
        assert len(emulator.placed) == calls
        assert [text for text in (FROM, TO, PRIVATE, emulator.api_key) if text in caplog.text] == []

    @pytest.mark.parametrize("way", WAYS)
    def test_message_does_not_deny_a_call_because_the_second_attempt_was_rejected(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, way: str
    ) -> None:
        emulator.faults.add(Fault.drop_after(), route="create-phone-call")
        emulator.faults.add(Fault.status(402), route="create-phone-call")
        with no_waiting():
            notify(notifier(), context(), way)
        assert UNKNOWN in caplog.text
        assert len(emulator.placed) == 1

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize(
        ("arguments", "cause"),
        [
            ({"to_number": "{{ private }}"}, "to_number"),
            ({"from_number": "{{ '' }}"}, "from_number"),
            ({"retell_conn_id": "no_such_conn"}, "no_such_conn"),
        ],
    )
    @pytest.mark.usefixtures("whole_log")
    def test_invalid_argument_is_logged(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, way: str, arguments: Any, cause: str
    ) -> None:
        notify(notifier(**arguments), context(private=PRIVATE), way)
        (line,) = [text for text in caplog.messages if text.startswith(f"{ABOUT}{NOT_PLACED}: ")]
        assert cause in line
        assert PRIVATE not in caplog.text
        assert emulator.placed == []

    @pytest.mark.parametrize("arguments", [{"max_calls_per_run": 0}, {"cooldown": -1}])
    def test_invalid_limit_fails_when_the_dag_is_read(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=f"^{next(iter(arguments))} must be "):
            notifier(**arguments)


class TestTime:
    """Airflow 3 kills a task's callbacks 20 seconds after the end of the task."""

    @pytest.fixture(autouse=True)
    def short_timeouts(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shorten the timeouts of the connection, so that a request to a hanging server takes no real time."""
        connect(monkeypatch, emulator, timeout=0.1, connect_timeout=0.1)

    @pytest.mark.parametrize("way", WAYS)
    def test_hanging_server_gets_one_attempt_to_list_and_two_to_call(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, mocker: MockerFixture, way: str
    ) -> None:
        emulator.faults.add(Fault.hang(), times=0)
        hook = mocker.spy(retell, "RetellHook" if way == "sync" else "RetellAsyncHook")
        with no_waiting() as fast:
            notify(notifier(), context(), way)
        assert UNKNOWN in caplog.text
        assert (emulator.count("list-calls"), emulator.count("create-phone-call")) == (1, 2)
        # The longest time that the callback could take with the default timeouts of the connection.
        limits = hook.call_args.kwargs["retry"]
        attempts = emulator.count()
        assert attempts * (limits.timeout + limits.connect_timeout) + limits.seconds <= 20
        assert attempts * limits.timeout + limits.seconds < 18
        assert fast.skipped <= limits.seconds

    @pytest.mark.parametrize("way", WAYS)
    def test_call_is_placed_if_the_list_hangs(self, emulator: Emulator, way: str) -> None:
        emulator.faults.add(Fault.hang(), route="list-calls", times=0)
        notify(notifier(), context(), way)
        assert len(emulator.placed) == 1

    @pytest.mark.parametrize("way", WAYS)
    def test_unreachable_server_does_not_delay_the_worker(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, way: str
    ) -> None:
        emulator.stop()
        began = time.monotonic()
        with no_waiting():
            notify(notifier(), context(), way)
        assert time.monotonic() - began < 20
        assert "no call was placed" in caplog.text


@pytest.mark.skipif(AIRFLOW < (3, 1), reason="deadlines came with Airflow 3.1")
class TestDeadline:
    """Run by Airflow's own trigger for the callbacks of deadlines."""

    def run(self, kwargs: dict[str, Any]) -> list[Any]:
        try:
            from airflow.triggers.callback import CallbackTrigger as Trigger
        except ImportError:
            from airflow.triggers.deadline import DeadlineCallbackTrigger as Trigger

        async def go() -> list[Any]:
            path = f"{PhoneCallNotifier.__module__}.{PhoneCallNotifier.__qualname__}"
            return [event.payload async for event in Trigger(path, kwargs).run()]

        return asyncio.run(go())

    def test_deadline_that_is_reported_twice_is_one_call(self, emulator: Emulator) -> None:
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
        placed = variables(emulator)[0]
        assert (placed["dag_id"], placed["run_id"], placed["reason"]) == ("dag_b", "run_2", "dag_b is late")

    def test_deadline_accepts_the_notifier(self) -> None:
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
