"""UpdateCallOperator(wait_until=...): it waits for the call, then updates it in a worker."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from airflow.models.trigger import Trigger
from tasks import TaskDeferred, Ti, rendered_fields, run_deferred
from waits import ENCRYPT

from airflow_provider_retell._compat import AirflowFailException, AirflowTaskTimeout
from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.operators.call import UpdateCallOperator

PRIVATE = "Ada's private note"
ONE_ATTEMPT = {"x-should-retry": "false"}


@pytest.fixture
def emulator(connect: Any) -> Any:
    """An emulator with one call, which ends after half a minute and is analyzed ten seconds later."""
    lifecycle = Lifecycle(talk=30, analyze=10)
    with Emulator(quotas=None, clock=Clock(frozen=True), lifecycle=lifecycle) as emulator:
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True, metadata={"kept": 1})
        connect(emulator, quota="9999/1")
        yield emulator


class Run:
    """A run of a task, with a new worker after each deferral."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.deferred: TaskDeferred | None = None
        self.operator: Any = None

    def execute(self, native: bool = False, **arguments: Any) -> Any:
        arguments = {"call_id": "call_1", "wait_until": "ended", "poll_interval": 5, **arguments}
        if arguments["deferrable"]:
            arguments["poll_interval"] = 0.02  # the trigger's polls take this long

        def make() -> UpdateCallOperator:
            self.operator = UpdateCallOperator(task_id="update", **arguments)
            return self.operator

        context = {"facts": {"note": PRIVATE}, "which": "call_1"}
        return run_deferred(make, on_deferral=self._defer, native=native, **context)

    def _defer(self, deferred: TaskDeferred) -> None:
        assert "_session" not in self.operator.hook.__dict__
        assert self.emulator.count("update-call") == 0
        self.deferred = deferred
        path, arguments = deferred.trigger.serialize()
        assert Trigger._decrypt_kwargs(ENCRYPT(arguments)) == arguments
        assert PRIVATE not in json.dumps([path, arguments])
        self.emulator.clock.advance(60)


@pytest.fixture
def run(emulator: Emulator) -> Any:
    with no_waiting(emulator.clock.advance):
        yield Run(emulator)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("mode", ["replace", "merge", "fill"])
def test_the_update_follows_the_wait(
    emulator: Emulator, run: Run, deferrable: bool, mode: Any, native: bool
) -> None:
    result = run.execute(
        native, call_id="{{ which }}", metadata="{{ facts }}", metadata_mode=mode, deferrable=deferrable
    )
    assert (result["call_status"], result["updated"], result["written"]) == ("ended", True, ["metadata.note"])
    kept = {} if mode == "replace" else {"kept": 1}
    assert emulator.calls["call_1"]["metadata"] == {"note": PRIVATE, **kept}
    routes = [request.route for request in emulator.requests]
    assert routes.count("update-call") == 1
    assert routes[-1] == "update-call"
    assert {request.status for request in emulator.requests} == {200}
    assert (run.deferred is not None) == deferrable
    # The last worker has rendered the fields again.
    assert rendered_fields(run.operator)["metadata"] == {"note": "***"}


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("until", ["ended", "analyzed"])
def test_the_wait_lasts_until_the_requested_state(
    emulator: Emulator, run: Run, deferrable: bool, until: Any
) -> None:
    run.execute(metadata={"a": 1}, deferrable=deferrable, wait_until=until)
    assert ("call_analysis" in emulator.calls["call_1"]) or until == "ended"
    if deferrable:
        assert run.deferred is not None
        assert run.deferred.trigger.serialize()[1]["until"] == until


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_call_that_has_ended_is_updated_at_once(emulator: Emulator, run: Run, deferrable: bool) -> None:
    emulator.calls["call_1"]["call_status"] = "not_connected"
    run.execute(metadata={"a": 1}, metadata_mode="replace", deferrable=deferrable)
    assert run.deferred is None
    assert [request.route for request in emulator.requests] == ["get-call", "update-call"]


def test_the_trigger_has_the_parameters_of_the_operator(emulator: Emulator, run: Run) -> None:
    before = clock().time()
    run.execute(metadata={"a": 1}, deferrable=True, wait_timeout=timedelta(minutes=2), max_poll_failures=7)
    assert run.deferred is not None
    arguments = run.deferred.trigger.serialize()[1]
    assert before + 120 <= arguments.pop("deadline") <= clock().time() + 120
    assert before <= arguments.pop("started") <= clock().time()
    assert run.deferred.kwargs is not None
    assert arguments.pop("state") == {"deadline": run.deferred.kwargs["deadline"]}
    assert arguments == {
        "retell_conn_id": "retell_default",
        "call_id": "call_1",
        "until": "ended",
        "poll_interval": 0.02,
        "max_poll_failures": 7,
        "execution_deadline": None,
        "exponential_backoff": False,
        "max_wait": None,
        "stop_on_kill": False,
    }
    assert run.deferred.kwargs is not None
    assert before + 120 <= run.deferred.kwargs["deadline"] <= clock().time() + 120
    assert run.deferred.timeout is not None
    assert timedelta(seconds=415) < run.deferred.timeout <= timedelta(seconds=420)


def test_a_timeout_in_the_worker_reports_the_wait_and_updates_nothing(emulator: Emulator, run: Run) -> None:
    before = clock().monotonic()
    message = "Timed out after 12 s of waiting for call call_1 to end. Last state: ongoing"
    with pytest.raises(WaitTimeoutError, match=message):
        run.execute(metadata={"a": 1}, deferrable=False, wait_timeout=12)
    assert 12 <= clock().monotonic() - before < 13
    assert emulator.count("get-call") == 4  # after 0, 5, 10 and 12 seconds
    assert emulator.count("update-call") == 0


def test_a_timeout_in_the_triggerer_updates_nothing(emulator: Emulator, run: Run) -> None:
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}), times=0)
    with pytest.raises(WaitTimeoutError, match=r"Timed out.*waiting for call call_1 to end"):
        run.execute(metadata={"a": 1}, deferrable=True, wait_timeout=0.3)
    assert emulator.count("update-call") == 0


@pytest.mark.parametrize("deferrable", [False, True])
def test_execution_timeout_ends_the_wait(emulator: Emulator, run: Run, deferrable: bool) -> None:
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}), times=0)
    before = clock().monotonic()
    message = "waiting for call call_1 to end.*reached its execution_timeout"
    with pytest.raises(AirflowTaskTimeout, match=message):
        run.execute(
            metadata={"a": 1},
            deferrable=deferrable,
            execution_timeout=timedelta(seconds=3),
            wait_timeout=timedelta(seconds=30),
        )
    assert 3 <= clock().monotonic() - before < 10
    assert emulator.count("update-call") == 0
    if run.deferred is not None:
        assert run.deferred.timeout is not None
        assert run.deferred.timeout <= timedelta(seconds=303)


@pytest.mark.parametrize("deferrable", [False, True])
def test_an_execution_timeout_beyond_the_wait_timeout_changes_nothing(
    emulator: Emulator, run: Run, deferrable: bool
) -> None:
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}), times=0)
    with pytest.raises(WaitTimeoutError, match="Timed out"):
        run.execute(
            metadata={"a": 1}, deferrable=deferrable, execution_timeout=timedelta(hours=1), wait_timeout=0.3
        )


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_permanent_error_ends_the_wait_at_once(emulator: Emulator, run: Run, deferrable: bool) -> None:
    emulator.faults.add(Fault.status(403), times=0, after=1)
    with pytest.raises(AirflowFailException, match="403"):
        run.execute(metadata={"a": 1}, deferrable=deferrable)
    assert emulator.count() == 2


@pytest.mark.parametrize(("arguments", "limit"), [({}, 10), ({"max_poll_failures": 2}, 2)])
@pytest.mark.parametrize("deferrable", [False, True])
def test_too_many_failed_polls_leave_the_task_to_airflows_retries(
    emulator: Emulator, run: Run, deferrable: bool, arguments: Any, limit: int
) -> None:
    emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}))
    emulator.faults.add(Fault.status(500, headers=ONE_ATTEMPT), times=0)
    message = rf"Stopped waiting for call call_1 to end.*{limit + 1} polls in a row failed.*answered 500"
    with pytest.raises(RetellError, match=message) as raised:
        run.execute(metadata={"a": 1}, deferrable=deferrable, **arguments)
    assert not raised.value.permanent
    assert emulator.count("get-call") == 1 + limit + 1
    assert emulator.count("update-call") == 0


@pytest.mark.parametrize("deferrable", [False, True])
def test_failed_polls_up_to_the_limit_are_tolerated(emulator: Emulator, run: Run, deferrable: bool) -> None:
    emulator.calls["call_1"]["call_status"] = "ended"
    for _ in range(2):
        emulator.faults.add(Fault.status(200, body={"call_id": "call_1", "call_status": "ongoing"}))
        emulator.faults.add(Fault.status(500, headers=ONE_ATTEMPT), times=2)
    assert run.execute(
        metadata={"a": 1}, metadata_mode="replace", deferrable=deferrable, max_poll_failures=2
    )["updated"]
    polls = [request.status for request in emulator.requests if request.route == "get-call"]
    assert polls == [200, 500, 500, 200, 500, 500, 200]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_failed_first_poll_is_tolerated(emulator: Emulator, run: Run, deferrable: bool) -> None:
    emulator.faults.add(Fault.status(500, headers=ONE_ATTEMPT))
    assert run.execute(metadata={"a": 1}, deferrable=deferrable)["updated"]
    assert (run.deferred is not None) == deferrable


def test_the_worker_waits_as_long_as_retry_after_says(emulator: Emulator, run: Run) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "200"}), route="get-call")
    before = clock().monotonic()
    assert run.execute(metadata={"a": 1}, deferrable=False, max_poll_failures=0)["updated"]
    assert 200 <= clock().monotonic() - before < 205
    assert emulator.count("get-call", status=429) == 1


@pytest.mark.parametrize("deferrable", [False, True])
def test_retry_after_does_not_extend_the_wait(emulator: Emulator, run: Run, deferrable: bool) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "200"}), route="get-call")
    before = clock().monotonic()
    result = run.execute(
        metadata={"a": 1},
        metadata_mode="replace",
        deferrable=deferrable,
        max_poll_failures=0,
        wait_timeout=60,
    )
    assert result["updated"]
    assert clock().monotonic() - before < 65
    assert emulator.count("get-call", status=429) == 1


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": "done"}])
def test_an_unknown_event_updates_nothing(emulator: Emulator, event: Any) -> None:
    operator = UpdateCallOperator(task_id="update", call_id="call_1", metadata={"a": 1}, wait_until="ended")
    with pytest.raises(AirflowFailException):
        operator.resume({"ti": Ti()}, event)
    assert emulator.count() == 0


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("{{ facts.note }}", "not a JSON object"),
        ({"a": float("nan")}, "NaN"),
        ({"a": "x" * 60000}, "60,0"),
    ],
)
def test_invalid_input_is_rejected_before_the_wait(
    emulator: Emulator, run: Run, metadata: Any, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=says):
        run.execute(metadata=metadata, deferrable=True)
    assert run.deferred is None
    assert emulator.count() == 0


def test_the_log_shows_the_start_the_changes_and_the_end(
    emulator: Emulator, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run.execute(metadata={"a": PRIVATE}, deferrable=False, poll_interval=timedelta(seconds=10))
    lines = [record.message for record in caplog.records if "aiting for call" in record.message]
    assert lines[0] == "Waiting for call call_1 to end, for up to 2 h; polling every 10 s"
    assert lines[1] == "Waiting for call call_1 to end: ongoing"
    assert re.match(r"Finished waiting for call call_1 to end after 30(\.\d)? s: ended, ", lines[2])
    assert "duration 30 s" in lines[2]
    assert len(lines) == 3
