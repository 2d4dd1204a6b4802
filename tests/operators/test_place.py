"""Placing calls: whatever goes wrong, nobody is called twice, and nobody is forgotten who was to be called.

The tables stand in docs/placing.md too, and a test keeps the two the same.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import logging
import os
import re
import select
import signal
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import urllib3.connection
from airflow.serialization.helpers import serialize_template_field

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import (
    RateLimitError,
    RetellError,
    RetellInputError,
    RetellTimeoutError,
    WaitFailedError,
    WaitTimeoutError,
)
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.hooks import requests_transport
from airflow_provider_retell.hooks.retell import RetellHook
from airflow_provider_retell.operators import base
from airflow_provider_retell.operators import phone_call as place
from airflow_provider_retell.operators.batch_call import CreateBatchCallOperator
from airflow_provider_retell.operators.phone_call import CreatePhoneCallOperator

try:
    from airflow.sdk.exceptions import TaskDeferred
except ImportError:
    from airflow.exceptions import TaskDeferred

FROM, TO, OTHER = "+14155550100", "+14155550123", "+14155550199"
NOTE = "Ada's private note"
HOUR = 3600


def phone_call(**arguments: Any) -> CreatePhoneCallOperator:
    # Short waits, so that what is broken fails instead of hanging.
    waits = {"deferrable": False, "poll_interval": 0.05, "wait_timeout": 3}
    given = {"from_number": FROM, "to_number": TO, "retries": 1, **waits, **arguments}
    return CreatePhoneCallOperator(task_id="a_task", **given)


def impatient(operator: Any) -> Any:
    """Let the first fault end the try."""
    operator.__dict__["hook"] = RetellHook(retry=RetryLimits(attempts=1))
    return operator


# What happens to the first try, and how many calls are placed by then. After a retry, there is one, always.
FAULTS: dict[str, tuple[Fault, int]] = {
    "connection lost before Retell acted": (Fault.drop(), 0),
    "connection lost after Retell acted": (Fault.drop_after(), 1),
    "429 with `Retry-After`": (Fault.status(429, headers={"Retry-After": "0.2"}), 0),
    "429 without `Retry-After`": (Fault.status(429), 0),
    "500": (Fault.status(500), 0),
    "response truncated": (Fault.truncate(), 1),
    "timeout, Retell did not act": (Fault.hang(), 0),
    "timeout, Retell acted later": (Fault.slow(0.7), 1),
}
KILLS: dict[str, tuple[str, int]] = {
    "worker killed before the request": ("before", 0),
    "worker killed after Retell acted, before the response was read": ("acted", 1),
    "worker killed after the response, before the call was recorded": ("answered", 1),
    "worker killed after recording, before waiting": ("recorded", 1),
    "worker killed while waiting": ("waiting", 1),
}
TRIGGERER = "triggerer killed while the task is deferred"

# on_clear, and how many calls there are after the clear, and after a retry behind it.
CLEARS = {"same": 1, "new": 2}

LATER = {"within the hour": HOUR - 1, "after the hour": HOUR + 1}


@pytest.fixture
def hasty(emulator: Emulator, connect: Any) -> Emulator:
    """A connection that times out soon."""
    connect(emulator, timeout=0.4)
    return emulator


@pytest.mark.parametrize("native", [False, True])
def test_an_agent_that_renders_to_empty_text_is_the_numbers_own(
    emulator: Emulator, run_try: Any, native: bool
) -> None:
    run_try(phone_call(override_agent_id="{{ '' }}", override_agent_version="{{ '' }}"), native=native)
    assert "override_agent_id" not in emulator.requests[0].body


@pytest.mark.parametrize("lost", [[2], [2, 3], [1]])
def test_a_connection_that_is_lost_for_a_moment_after_the_call_was_placed(
    emulator: Emulator, run_try: Any, monkeypatch: pytest.MonkeyPatch, lost: list[int]
) -> None:
    look_up, numbers = RetellHook.get_connection, itertools.count(1)

    def get_connection(conn_id: str) -> Any:
        if next(numbers) in lost:
            raise KeyError(conn_id)
        return look_up(conn_id)

    monkeypatch.setattr(RetellHook, "get_connection", staticmethod(get_connection))
    if 1 in lost:  # it was never there, perhaps
        with pytest.raises(KeyError):
            run_try(phone_call(wait_until="ended"))
        return
    emulator.faults.add(
        Fault.status(200, body={"call_id": "call_1", "call_status": "ended"}), route="get-call"
    )
    assert run_try(phone_call(wait_until="ended"))["call_status"] == "ended"


def test_airflows_that_share_an_organization_place_a_call_each(
    emulator: Emulator, run_try: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, placed in (("staging", 1), ("production", 2), ("staging", 2)):
        monkeypatch.setenv("AIRFLOW__RETELL__DEPLOYMENT", name)
        run_try(phone_call(), try_number=2)
        assert len(emulator.placed) == placed


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "name", ["metadata", "retell_llm_dynamic_variables", "override_agent_id", "override_agent_version"]
)
def test_nobody_is_called_with_what_has_no_value(
    emulator: Emulator, run_try: Any, name: str, native: bool
) -> None:
    with pytest.raises(AirflowFailException, match=f"{name} rendered to nothing"):
        run_try(phone_call(**{name: "{{ none }}"}), native=native, none=None)
    assert not emulator.placed


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_strikes_once_is_mended_within_the_try(
    hasty: Emulator, run_try: Any, fault: str
) -> None:
    hasty.faults.add(FAULTS[fault][0], route="create-phone-call")
    result = run_try(phone_call())
    assert [call["call_id"] for call in hasty.placed] == [result["call_id"]]


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_retry_after_a_fault(
    hasty: Emulator, run_try: Any, store: Any, fault: str, seconds: float, eventually: Any
) -> None:
    kind, placed = FAULTS[fault]
    hasty.faults.add(kind, route="create-phone-call")
    with pytest.raises(RetellError):
        run_try(impatient(phone_call()), store=store)
    eventually(lambda: len(hasty.placed) == placed)
    hasty.clock.advance(seconds)
    result = run_try(phone_call(), try_number=2, store=store)
    assert [call["call_id"] for call in hasty.placed] == [result["call_id"]]
    assert (hasty.placed[0]["from_number"], hasty.placed[0]["to_number"]) == (FROM, TO)


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_when_the_answer_is_there(connection: Any) -> None:
    select.select([connection.sock], [], [], 20)
    die()


def arm(step: str) -> None:
    """Let this process die at *step*."""
    if step == "before":
        requests_transport.exchange = die  # type: ignore[assignment]
    elif step == "acted":
        urllib3.connection.HTTPConnection.getresponse = die_when_the_answer_is_there  # type: ignore[assignment]
    elif step == "answered":
        place.remember = place._batch = die  # type: ignore[assignment]
    elif step == "recorded":
        base.WaitingOperator.wait_for = die  # type: ignore[assignment]
    elif step == "waiting":
        base.time.sleep = die  # type: ignore[assignment]


def killed(step: str, task: Callable[[], Any]) -> None:
    """Run *task* in a process of its own that is killed at *step*, as Airflow runs tasks: forked."""
    pid = os.fork()
    if pid == 0:
        try:
            arm(step)
            task()
        finally:
            os._exit(3)  # came through alive
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"the process came to its end with {os.waitstatus_to_exitcode(status)}"
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("kill", KILLS)
def test_a_retry_after_a_killed_worker(
    emulator: Emulator, run_try: Any, store: Any, kill: str, seconds: float
) -> None:
    step, placed = KILLS[kill]
    killed(step, lambda: run_try(phone_call(wait_until="ended"), store=store))
    assert len(emulator.placed) == placed
    emulator.clock.advance(seconds)
    retry = phone_call(wait_until="ended" if placed else None)
    result = run_try(retry, try_number=2, store=store)
    assert [call["call_id"] for call in emulator.placed] == [result["call_id"]]


def defer(run_try: Any, operator: Any, **options: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferred:
        run_try(operator, **options)
    return deferred.value


def again(trigger: Any) -> Any:
    """A trigger as another triggerer makes it, from its row."""
    path, arguments = trigger.serialize()
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)(**arguments)


async def only_event(trigger: Any) -> dict[str, Any]:
    events = [event async for event in trigger.run()]
    assert len(events) == 1
    return events[0].payload


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
def test_a_killed_triggerer(emulator: Emulator, run_try: Any, store: Any, seconds: float) -> None:
    operator = phone_call(wait_until="ended", deferrable=True, poll_interval=0.05)
    trigger = defer(run_try, operator, store=store).trigger
    assert TO not in str(trigger.serialize())

    async def killed_triggerer() -> None:
        polls = emulator.count("get-call")
        waiting = asyncio.create_task(only_event(trigger))
        while emulator.count("get-call") < polls + 2:  # noqa: ASYNC110 - counted in another thread
            await asyncio.sleep(0.01)
        waiting.cancel()

    asyncio.run(asyncio.wait_for(killed_triggerer(), 20))
    emulator.clock.advance(seconds)
    event = asyncio.run(asyncio.wait_for(only_event(again(trigger)), 20))
    result = phone_call(wait_until="ended").resume({}, event)
    assert (result["call_id"], result["call_status"]) == (emulator.placed[0]["call_id"], "ended")
    assert len(emulator.placed) == 1


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("on_clear", CLEARS)
def test_a_clear(emulator: Emulator, run_try: Any, store: Any, on_clear: Any, seconds: float) -> None:
    first = run_try(phone_call(on_clear=on_clear), store=store)
    emulator.clock.advance(seconds)
    cleared = run_try(phone_call(on_clear=on_clear), try_number=2, cleared_at=1, store=store)
    retried = run_try(phone_call(on_clear=on_clear), try_number=3, cleared_at=1, store=store)
    emulator.clock.advance(seconds)
    once_more = run_try(phone_call(on_clear=on_clear), try_number=4, cleared_at=1, store=store)
    assert retried["call_id"] == once_more["call_id"] == cleared["call_id"]
    assert (cleared["call_id"] == first["call_id"]) == (on_clear == "same")
    assert len(emulator.placed) == CLEARS[on_clear]


def test_a_clear_after_a_try_that_nobody_heard_of(emulator: Emulator, run_try: Any, store: Any) -> None:
    killed("answered", lambda: run_try(phone_call(), store=store))
    emulator.clock.advance(2 * HOUR)
    run_try(phone_call(), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 1


def test_the_tables_in_the_documentation_are_these() -> None:
    firsts = {**{name: placed for name, (_, placed) in (FAULTS | KILLS).items()}, TRIGGERER: 1}
    rows = [f"| {name} | {placed} | 1 | 1 |" for name, placed in firsts.items()]
    rows += [f'| `on_clear="{name}"` | 1 | {placed} | {placed} |' for name, placed in CLEARS.items()]
    lines = (Path(__file__).parents[2] / "docs/placing.md").read_text().splitlines()
    assert [line for line in lines if re.search(r"\| \d \| \d \| \d \|$", line)] == rows


def test_every_task_run_and_map_index_has_its_own_call(emulator: Emulator, run_try: Any) -> None:
    run_try(phone_call(), map_index=0)
    run_try(phone_call(), map_index=1)
    assert len(emulator.placed) == 2
    assert len({call["metadata"]["airflow_call_key"] for call in emulator.placed}) == 2


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
def test_a_list_that_changed_calls_nobody_else(
    emulator: Emulator, run_try: Any, store: Any, seconds: float
) -> None:
    first = run_try(phone_call(), map_index=0, store=store)
    emulator.clock.advance(seconds)
    with pytest.raises(
        AirflowFailException, match=rf"{first['call_id']}.*another number.*on_clear='resend'"
    ) as error:
        run_try(phone_call(to_number=OTHER), map_index=0, try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 1
    assert TO not in str(error.value)
    assert OTHER not in str(error.value)


def test_a_call_that_was_deleted_is_not_placed_again(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    store_module = pytest.importorskip("airflow.sdk.execution_time.context")
    if not hasattr(store_module, "NEVER_EXPIRE"):
        pytest.skip("needs a state store")

    class Store(dict):  # type: ignore[type-arg]
        def set(self, key: str, value: Any, **_: Any) -> None:
            self[key] = value

    store = Store()
    del emulator.calls[run_try(phone_call(), store=store)["call_id"]]
    for cleared_at in (0, 1):
        with pytest.raises(
            AirflowFailException, match=r"placed before.*deleted.*Nobody was called.*on_clear='resend'"
        ):
            run_try(phone_call(), try_number=2, cleared_at=cleared_at, store=store)
    assert len(emulator.placed) == 1
    run_try(phone_call(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 2


# -- what is sent, and what is never shown


@pytest.mark.parametrize("native", [False, True])
def test_everything_is_sent_and_nothing_private_is_shown(
    emulator: Emulator, run_try: Any, native: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    operator = phone_call(
        from_number="{{ from_number }}",
        to_number="{{ to_number }}",
        metadata="{{ facts | tojson }}",
        retell_llm_dynamic_variables={"name": "{{ facts.note }}"},
        override_agent_id="{{ agent }}",
        override_agent_version="{{ 3 }}",
        agent_override={"agent": {"language": "en-US"}},
        custom_sip_headers={"X-Campaign": "autumn"},
        honor_internal_dnc=True,
    )
    facts = {"note": NOTE, "n": 1}
    result = run_try(operator, native=native, from_number=FROM, to_number=TO, facts=facts, agent="agent_1")
    body = emulator.requests[0].body
    key = body.pop("idempotency_key")
    assert body == {
        "from_number": FROM,
        "to_number": TO,
        "metadata": {**facts, "airflow_call_key": key},
        "retell_llm_dynamic_variables": {"name": NOTE},
        "override_agent_id": "agent_1",
        "override_agent_version": 3,
        "agent_override": {"agent": {"language": "en-US"}},
        "custom_sip_headers": {"X-Campaign": "autumn"},
        "honor_internal_dnc": True,
    }
    shown = [serialize_template_field(getattr(operator, name), name) for name in operator.template_fields]
    for private in (FROM[1:], TO[1:], NOTE):
        assert private not in f"{shown} {result} {caplog.text}"
    assert result["metadata_keys"] == ["airflow_call_key", "n", "note"]


@pytest.mark.parametrize("bad", ["4155550123", "+1 415 555 0123", "+0155550123", "tel:4155550123", ""])
def test_a_number_that_is_none_is_refused_without_its_digits(
    emulator: Emulator, run_try: Any, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(
        AirflowFailException, match=r"to_number is not a phone number.*Nothing was sent"
    ) as error:
        run_try(phone_call(to_number="{{ number }}"), number=bad)
    assert not emulator.requests
    assert "555" not in str(error.value) + str(error.value.__cause__) + caplog.text


def test_an_error_of_the_server_that_quotes_the_number(emulator: Emulator, run_try: Any, caplog: Any) -> None:
    quote = {"status": "error", "message": f"{TO} is not reachable from {FROM}: (415) 555-0123, note {NOTE}"}
    emulator.faults.add(Fault.status(400, body=quote), route="create-phone-call")
    with pytest.raises(AirflowFailException, match="is not reachable from") as error:
        run_try(phone_call(metadata={"note": NOTE}))
    assert not {TO, FROM, "555-0123", NOTE} & set(str(error.value).split())
    assert "555" not in str(error.value) + caplog.text
    assert NOTE not in str(error.value)


def test_custom_telephony_takes_other_numbers_as_they_are(emulator: Emulator, run_try: Any) -> None:
    run_try(phone_call(to_number="{{ '1001' }}", ignore_e164_validation=True))
    assert emulator.placed[0]["to_number"] == "1001"
    with pytest.raises(AirflowFailException, match="render_template_as_native_obj"):
        run_try(phone_call(to_number="{{ '1001' }}", ignore_e164_validation=True), native=True, map_index=1)
    assert len(emulator.placed) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"on_clear": "again"}, "on_clear is"),
        ({"wait_until": "answered"}, "wait_until is"),
        ({"stop_on_kill": "False"}, "stop_on_kill is True or False"),
        ({"ignore_e164_validation": "{{ params.any_number }}"}, "ignore_e164_validation is True or False"),
        ({"honor_internal_dnc": 1}, "honor_internal_dnc is True or False"),
        ({"deferrable": "False"}, "deferrable is True or False"),
        ({"poll_interval": -1}, "poll_interval is more than 0"),
        ({"poll_interval": timedelta(0)}, "poll_interval is more than 0"),
        ({"poll_interval": float("nan")}, "poll_interval is more than 0"),
        ({"wait_timeout": -1}, "wait_timeout is 0 or more"),
    ],
)
def test_wrong_choices_fail_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        phone_call(**arguments)


def test_a_refusal_for_good_burns_no_retries(emulator: Emulator, run_try: Any) -> None:
    emulator.organization.do_not_call.add(TO)
    with pytest.raises(AirflowFailException, match="do not call"):
        run_try(phone_call(honor_internal_dnc=True))
    assert not emulator.placed


# -- waiting


@pytest.fixture
def lively(connect: Any) -> Any:
    """An emulator in which a call takes less than a second."""
    with Emulator(clock=Clock(speed=100)) as emulator:
        connect(emulator)
        yield emulator


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("until", ["ended", "analyzed"])
def test_waiting(lively: Emulator, run_try: Any, until: Any, deferrable: bool) -> None:
    operator = phone_call(wait_until=until, deferrable=deferrable, poll_interval=0.05)
    if deferrable:
        lively.clock.freeze()  # the task's own look finds the call going on, however slow this machine is
        trigger = again(defer(run_try, operator).trigger)
        lively.clock.resume()
        result = operator.resume({}, asyncio.run(asyncio.wait_for(only_event(trigger), 20)))
    else:
        result = run_try(operator)
    assert result["call_status"] == "ended"
    assert len(lively.placed) == 1
    assert ("call_analysis" in lively.placed[0]) or until == "ended"


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_call_that_was_placed_is_waited_for_although_looks_fail(
    lively: Emulator, run_try: Any, deferrable: bool, after: int
) -> None:
    """The first look, and another: of a deferred task the one that it ends with."""
    throttled = Fault.status(429, headers={"Retry-After": "121"})
    operator = phone_call(wait_until="ended", deferrable=deferrable, poll_interval=0.05, max_poll_failures=0)
    if not deferrable:
        lively.faults.add(throttled, route="get-call", after=after)
        assert run_try(operator)["call_status"] == "ended"
    else:
        if after == 0:
            lively.faults.add(throttled, route="get-call")
        lively.clock.freeze()
        deferred = defer(run_try, operator)
        lively.clock.resume()
        event = asyncio.run(asyncio.wait_for(only_event(again(deferred.trigger)), 20))
        if after == 1:
            lively.faults.add(throttled, route="get-call")
            with pytest.raises(TaskDeferred) as error:
                operator.resume({}, event, **(deferred.kwargs or {}))
            assert error.value.kwargs == deferred.kwargs  # the deadline does not move
        assert operator.resume({}, event, **(deferred.kwargs or {}))["call_status"] == "ended"
    assert lively.count("get-call", status=429) == 1
    assert len(lively.placed) == 1


def test_a_wait_that_takes_too_long_is_no_reason_to_call_again(
    emulator: Emulator, run_try: Any, store: Any
) -> None:
    with pytest.raises(WaitTimeoutError):
        run_try(phone_call(wait_until="ended", poll_interval=0.01, wait_timeout=0.05), store=store)
    emulator.clock.advance(60)
    assert run_try(phone_call(wait_until="ended"), try_number=2, store=store)["call_status"] == "ended"
    assert len(emulator.placed) == 1


def test_a_wait_that_ends_in_an_error_is_no_reason_either(emulator: Emulator, run_try: Any) -> None:
    event = {"status": "error", "permanent": True, "message": "Stopped waiting"}
    with pytest.raises(AirflowFailException, match="Stopped waiting") as error:
        phone_call(wait_until="ended").resume({}, event)
    assert isinstance(error.value.__cause__, WaitFailedError)
    assert not emulator.placed


@pytest.mark.parametrize(("stop_on_kill", "status"), [(True, "ended"), (False, "registered")])
def test_stop_on_kill_in_the_worker(
    emulator: Emulator, run_try: Any, stop_on_kill: bool, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = phone_call(wait_until="ended", stop_on_kill=stop_on_kill)

    class Terminated(BaseException):
        pass

    def sigterm(_: float) -> None:
        operator.on_kill()  # as Airflow's signal handler does
        raise Terminated

    monkeypatch.setattr(base.time, "sleep", sigterm)
    with pytest.raises(Terminated):
        run_try(operator)
    assert emulator.placed[0]["call_status"] == status


def test_stop_on_kill_of_a_call_that_is_over_does_not_hide_what_killed_the_task(
    emulator: Emulator, run_try: Any, caplog: pytest.LogCaptureFixture
) -> None:
    operator = phone_call(wait_until="ended", stop_on_kill=True, deferrable=True)
    operator.on_kill()  # nothing placed yet
    assert not emulator.requests
    defer(run_try, operator)
    emulator.clock.advance(60)
    operator.on_kill()
    assert "could not be stopped" in caplog.text


@pytest.mark.parametrize(("stop_on_kill", "status"), [(True, "ended"), (False, "registered")])
def test_stop_on_kill_in_the_triggerer(
    emulator: Emulator, run_try: Any, stop_on_kill: bool, status: str
) -> None:
    operator = phone_call(wait_until="ended", stop_on_kill=stop_on_kill, deferrable=True)
    trigger = again(defer(run_try, operator).trigger)
    asyncio.run(trigger.on_kill())
    assert emulator.placed[0]["call_status"] == status


def test_a_refusal_for_concurrency_is_waited_for(connect: Any, run_try: Any) -> None:
    with Emulator(concurrency=1, clock=Clock(speed=100), quotas=None) as emulator:
        connect(emulator)
        run_try(phone_call(), map_index=0)
        run_try(phone_call(), map_index=1)
        assert len(emulator.placed) == 2
        assert emulator.count("create-phone-call", status=429) >= 1


def test_a_refusal_for_concurrency_beyond_retry_limits_is_left_to_airflow(connect: Any, run_try: Any) -> None:
    with Emulator(concurrency=1, clock=Clock(frozen=True)) as emulator:
        connect(emulator)
        run_try(phone_call(), map_index=0)
        with pytest.raises(RateLimitError):
            run_try(impatient(phone_call()), map_index=1)
        emulator.clock.advance(60)
        run_try(phone_call(), map_index=1, try_number=2)
        assert len(emulator.placed) == 2


# -- batches

TASKS = [{"to_number": TO, "metadata": {"note": NOTE}}, {"to_number": OTHER}]


def batch(**arguments: Any) -> CreateBatchCallOperator:
    return CreateBatchCallOperator(
        task_id="a_task", **{"from_number": FROM, "tasks": TASKS, "retries": 1, **arguments}
    )


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "tasks", ["{{ tasks }}", "{{ tasks | tojson }}", TASKS], ids=["python", "json", "list"]
)
def test_a_batch_is_placed(
    emulator: Emulator, run_try: Any, tasks: Any, native: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    window = {"windows": [{"start": 0, "end": 1440}], "timezone": "UTC"}
    operator = batch(
        from_number="{{ from_number }}",
        tasks=tasks,
        name="{{ 'autumn' }}",
        trigger_timestamp="{{ 1700000000000 }}",
        reserved_concurrency=1,
        call_time_window=window,
    )
    result = run_try(operator, native=native, tasks=TASKS, from_number=FROM)
    assert emulator.requests[0].body == {
        "from_number": FROM,
        "tasks": TASKS,
        "name": "autumn",
        "trigger_timestamp": 1700000000000,
        "reserved_concurrency": 1,
        "call_time_window": window,
    }
    assert result == {"batch_call_id": emulator.placed[0]["batch_call_id"], "total_task_count": 2}
    shown = [serialize_template_field(getattr(operator, name), name) for name in operator.template_fields]
    for private in (FROM[1:], TO[1:], OTHER[1:], NOTE):
        assert private not in f"{shown} {result} {caplog.text}"


MOMENT = datetime(2026, 12, 1, 10, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        1796112000000,
        "{{ moment }}",
        "{{ moment.isoformat() }}",
        "{{ moment.timestamp() * 1000 }}",
        "2026-12-01T08:00:00Z",
        MOMENT,
        MOMENT.timestamp() * 1000,
    ],
)
def test_a_batch_starts_at_a_moment(emulator: Emulator, run_try: Any, given: Any, native: bool) -> None:
    run_try(batch(trigger_timestamp=given), native=native, moment=MOMENT)
    assert emulator.requests[0].body["trigger_timestamp"] == 1796112000000


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (1796112000, "must be in epoch milliseconds, and looks like seconds"),
        ("{{ 1796112000 }}", "must be in epoch milliseconds, and looks like seconds"),
        (1796112000000000, "must be in epoch milliseconds, and looks like microseconds"),
        (-1, "looks like seconds"),
        ("{{ none }}", "rendered to nothing"),
        ("", "rendered to nothing"),
        ("2026-12-01T10:00:00", "without a zone"),
        (datetime(2026, 12, 1), "without a zone"),  # noqa: DTZ001
        ("2026-12-01", "without a zone"),
        (NOTE, "trigger_timestamp must be epoch milliseconds or a date and time with a zone"),
        (True, "trigger_timestamp must be"),
        (float("nan"), "trigger_timestamp must be"),
        ([NOTE], "trigger_timestamp must be"),
    ],
)
def test_a_moment_that_is_none_calls_nobody(
    emulator: Emulator, run_try: Any, given: Any, says: str, native: bool
) -> None:
    with pytest.raises(AirflowFailException, match=says) as error:
        run_try(batch(trigger_timestamp=given), native=native, none=None)
    assert isinstance(error.value.__cause__, RetellInputError)
    assert NOTE not in str(error.value)
    assert not emulator.requests


def test_a_batch_whose_answer_does_not_count_has_as_many_calls_as_were_sent(
    emulator: Emulator, run_try: Any
) -> None:
    emulator.faults.add(Fault.status(201, body={"batch_call_id": "batch_1"}), route="create-batch-call")
    assert run_try(batch()) == {"batch_call_id": "batch_1", "total_task_count": 2}


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("fault", [name for name in FAULTS if "429" not in name])
def test_a_batch_of_which_nobody_knows_is_not_sent_again(
    hasty: Emulator, run_try: Any, store: Any, fault: str, seconds: float, eventually: Any
) -> None:
    kind, sent = FAULTS[fault]
    hasty.faults.add(kind, route="create-batch-call")
    with pytest.raises(AirflowFailException, match=r"unknown.*not sent again.*dashboard.*on_clear='resend'"):
        run_try(batch(), store=store)
    eventually(lambda: len(hasty.placed) == 2 * sent)
    hasty.clock.advance(seconds)
    for try_number, cleared_at in ((2, 0), (2, 1)):
        with pytest.raises(
            AirflowFailException, match=r"may have sent create-batch-call.*dashboard.*on_clear='resend'"
        ):
            run_try(batch(), try_number=try_number, cleared_at=cleared_at, store=store)
    assert hasty.count("create-batch-call") == 1
    run_try(batch(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert len(hasty.placed) == 2 * sent + 2


@pytest.mark.parametrize(("step", "sent"), [("before", 0), ("acted", 2), ("answered", 2)])
def test_a_batch_whose_worker_was_killed_is_not_sent_again(
    emulator: Emulator, run_try: Any, store: Any, step: str, sent: int
) -> None:
    killed(step, lambda: run_try(batch(), store=store))
    assert len(emulator.placed) == sent
    with pytest.raises(AirflowFailException, match="may have sent create-batch-call"):
        run_try(batch(), try_number=2, store=store)
    assert len(emulator.placed) == sent


def test_a_batch_that_was_sent_is_the_tasks_batch(emulator: Emulator, run_try: Any, store: Any) -> None:
    first = run_try(batch(), store=store)
    if store is None:
        with pytest.raises(AirflowFailException, match="may have sent"):
            run_try(batch(), try_number=2, store=store)
    else:
        assert run_try(batch(), try_number=2, store=store) == first
        assert run_try(batch(), try_number=2, cleared_at=1, store=store) == first
    assert emulator.count("create-batch-call") == 1


def test_a_clear_sends_the_batch_anew_once_if_asked(emulator: Emulator, run_try: Any, store: Any) -> None:
    run_try(batch(on_clear="resend"), store=store)
    run_try(batch(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 4
    if store is None:
        with pytest.raises(AirflowFailException, match="may have sent"):
            run_try(batch(on_clear="resend"), try_number=3, cleared_at=1)
    else:
        run_try(batch(on_clear="resend"), try_number=3, cleared_at=1, store=store)
    assert len(emulator.placed) == 4


def test_a_batch_that_was_refused_can_be_mended(emulator: Emulator, run_try: Any, store: Any) -> None:
    emulator.faults.add(Fault.status(400), route="create-batch-call")
    with pytest.raises(AirflowFailException, match="answered 400") as error:
        run_try(batch(), store=store)
    assert ("on_clear='resend'" in str(error.value)) == (store is None)
    if store is None:
        with pytest.raises(AirflowFailException, match="may have sent"):
            run_try(batch(), try_number=2, cleared_at=1)
        run_try(batch(on_clear="resend"), try_number=2, cleared_at=1)
    else:
        run_try(batch(), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 2


def test_a_batch_whose_connection_never_opened_was_not_sent(
    emulator: Emulator, run_try: Any, store: Any, monkeypatch: pytest.MonkeyPatch, deaf_server: str
) -> None:
    says = r"in time.*Retell did nothing" if store is None else "in time"
    with monkeypatch.context() as patch:
        deaf = {
            "conn_type": "retell",
            "host": deaf_server,
            "password": "k",
            "extra": {"connect_timeout": 0.1},
        }
        patch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(deaf))
        with pytest.raises(AirflowFailException if store is None else RetellTimeoutError, match=says):
            run_try(batch(), store=store)
    if store is not None:
        run_try(batch(), try_number=2, store=store)
        assert len(emulator.placed) == 2


def test_input_that_is_refused_before_it_is_sent(emulator: Emulator, run_try: Any, store: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"tasks\[1\].to_number.*Nothing was sent") as error:
        run_try(batch(tasks=[TASKS[0], {"to_number": "555 0123"}]), store=store)
    assert "555" not in str(error.value)
    if store is not None:
        run_try(batch(), try_number=2, store=store)
        assert len(emulator.placed) == 2


def test_a_throttled_batch_waits(emulator: Emulator, run_try: Any, store: Any) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "0.1"}), route="create-batch-call", times=2)
    run_try(batch(), store=store)
    assert len(emulator.placed) == 2


def test_throttling_beyond_retry_limits(emulator: Emulator, run_try: Any, store: Any) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="create-batch-call")
    # Left to Airflow's retries where the next try can know that nothing was sent.
    with pytest.raises(AirflowFailException if store is None else RateLimitError, match="429"):
        run_try(batch(), store=store)
    if store is not None:
        run_try(batch(), try_number=2, store=store)
        assert len(emulator.placed) == 2


def test_a_store_that_is_emptied_on_success_vouches_for_nothing(
    emulator: Emulator, run_try: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store is None:
        pytest.skip("needs a state store")
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    run_try(batch(), store=store)
    for key in store._all():
        store.delete(key)
    with pytest.raises(AirflowFailException, match="may have sent"):
        run_try(batch(), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 2
