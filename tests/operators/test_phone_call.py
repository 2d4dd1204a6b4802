"""CreatePhoneCallOperator: after any fault, crash or clear, exactly one call is placed."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crashes import FAULTS, HOUR, LATER, killed, without_retries
from tasks import (
    TaskDeferred,
    Ti,
    defer,
    event_of,
    eventually,
    rendered_fields,
    restored,
    run_deferred,
    run_try,
)

from airflow_provider_retell._compat import (
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from airflow_provider_retell.api.errors import (
    DoNotCallError,
    RetellError,
    WaitFailedError,
    WaitTimeoutError,
)
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.phone_call import CreatePhoneCallOperator

FROM, TO, OTHER = "+14155550100", "+14155550123", "+14155550199"
NOTE = "Ada's private note"

KILLS: dict[str, tuple[str, int]] = {
    "worker killed before the request": ("before", 0),
    "worker killed after Retell acted, before the response was read": ("acted", 1),
    "worker killed after the response, before the call was recorded": ("received", 1),
    "worker killed after recording, before waiting": ("wait", 1),
    "worker killed while waiting": ("waiting", 1),
}
TRIGGERER = "triggerer killed while the task is deferred"

# The number of calls after a clear, for each on_clear.
CLEARS = {"skip": 1, "resend": 2}


def phone_call(**arguments: Any) -> CreatePhoneCallOperator:
    defaults = {"from_number": FROM, "to_number": TO, "retries": 1, "deferrable": False}
    if arguments.get("wait_until"):
        defaults |= {"poll_interval": 5, "wait_timeout": 300}
    return CreatePhoneCallOperator(task_id="a_task", **{**defaults, **arguments})


# -- placed once


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("no_sleep")
def test_a_single_fault_is_retried_within_the_try(hasty: Emulator, fault: str) -> None:
    hasty.faults.add(FAULTS[fault][0], route="create-phone-call")
    result = run_try(phone_call())
    assert [call["call_id"] for call in hasty.placed] == [result["call_id"]]


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("no_sleep")
def test_a_retry_after_a_fault_places_exactly_one_call(
    hasty: Emulator, store: Any, fault: str, seconds: float
) -> None:
    kind, placed = FAULTS[fault]
    hasty.faults.add(kind, route="create-phone-call")
    with pytest.raises(RetellError):
        run_try(without_retries(phone_call()), store=store)
    eventually(lambda: len(hasty.placed) == placed)
    hasty.clock.advance(seconds)
    result = run_try(phone_call(), try_number=2, store=store)
    assert [call["call_id"] for call in hasty.placed] == [result["call_id"]]
    assert (hasty.placed[0]["from_number"], hasty.placed[0]["to_number"]) == (FROM, TO)


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("kill", KILLS)
def test_a_retry_after_a_killed_worker_places_exactly_one_call(
    emulator: Emulator, store: Any, kill: str, seconds: float
) -> None:
    step, placed = KILLS[kill]
    killed(step, lambda: run_try(phone_call(wait_until="ended"), store=store))
    assert len(emulator.placed) == placed
    emulator.clock.advance(seconds)
    retry = phone_call(wait_until="ended" if placed else None)
    result = run_try(retry, try_number=2, store=store)
    assert [call["call_id"] for call in emulator.placed] == [result["call_id"]]


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
def test_a_restored_trigger_waits_for_the_same_call(emulator: Emulator, store: Any, seconds: float) -> None:
    operator = phone_call(wait_until="ended", deferrable=True, poll_interval=0.05)
    trigger = defer(operator, store=store).trigger
    assert TO not in str(trigger.serialize())

    async def kill_after_two_polls() -> None:
        polls = emulator.count("get-call")
        waiting = asyncio.create_task(anext(trigger.run()))
        while emulator.count("get-call") < polls + 2:  # noqa: ASYNC110 - counted in another thread
            await asyncio.sleep(0.01)
        waiting.cancel()

    asyncio.run(asyncio.wait_for(kill_after_two_polls(), 20))
    emulator.clock.advance(seconds)
    result = phone_call(wait_until="ended").resume({}, event_of(restored(trigger)))
    assert (result["call_id"], result["call_status"]) == (emulator.placed[0]["call_id"], "ended")
    assert len(emulator.placed) == 1


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("on_clear", CLEARS)
def test_a_clear_places_another_call_only_with_resend(
    emulator: Emulator, store: Any, on_clear: Any, seconds: float
) -> None:
    first = run_try(phone_call(on_clear=on_clear), store=store)
    emulator.clock.advance(seconds)
    cleared = run_try(phone_call(on_clear=on_clear), try_number=2, cleared_at=1, store=store)
    retried = run_try(phone_call(on_clear=on_clear), try_number=3, cleared_at=1, store=store)
    emulator.clock.advance(seconds)
    once_more = run_try(phone_call(on_clear=on_clear), try_number=4, cleared_at=1, store=store)
    assert retried["call_id"] == once_more["call_id"] == cleared["call_id"]
    assert (cleared["call_id"] == first["call_id"]) == (on_clear == "skip")
    assert len(emulator.placed) == CLEARS[on_clear]


def test_a_clear_after_a_try_whose_response_was_lost_places_no_second_call(
    emulator: Emulator, store: Any
) -> None:
    killed("received", lambda: run_try(phone_call(), store=store))
    emulator.clock.advance(2 * HOUR)
    run_try(phone_call(), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 1


def test_the_tables_in_the_guide_match_these_scenarios() -> None:
    firsts = {**{name: placed for name, (_, placed) in (FAULTS | KILLS).items()}, TRIGGERER: 1}
    rows = [f"| {name} | {placed} | 1 | 1 |" for name, placed in firsts.items()]
    rows += [f'| `on_clear="{name}"` | 1 | {placed} | {placed} |' for name, placed in CLEARS.items()]
    lines = (Path(__file__).parents[2] / "docs/placing.md").read_text().splitlines()
    assert [line for line in lines if re.search(r"\| \d \| \d \| \d \|$", line)] == rows


def test_two_deployments_that_share_an_organization_place_a_call_each(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, placed in (("staging", 1), ("production", 2), ("staging", 2)):
        monkeypatch.setenv("AIRFLOW__RETELL__DEPLOYMENT", name)
        run_try(phone_call(), try_number=2)
        assert len(emulator.placed) == placed


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
def test_a_mapped_task_whose_number_changed_calls_nobody(
    emulator: Emulator, store: Any, seconds: float
) -> None:
    first = run_try(phone_call(), map_index=0, store=store)
    emulator.clock.advance(seconds)
    with pytest.raises(
        AirflowFailException,
        match=rf"{first['call_id']}.*another number.*set on_clear='resend' on the task in the DAG file",
    ) as error:
        run_try(phone_call(to_number=OTHER), map_index=0, try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 1
    assert TO not in str(error.value)
    assert OTHER not in str(error.value)


def test_a_deleted_call_is_not_placed_again(emulator: Emulator, state_store: Any) -> None:
    store = state_store
    del emulator.calls[run_try(phone_call(), store=store)["call_id"]]
    for cleared_at in (0, 1):
        with pytest.raises(
            AirflowFailException,
            match=r"placed before.*deleted.*Nobody was called.*set on_clear='resend' on the task in the DAG file",
        ):
            run_try(phone_call(), try_number=2, cleared_at=cleared_at, store=store)
    assert len(emulator.placed) == 1
    run_try(phone_call(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 2


# -- the request


@pytest.mark.parametrize("native", [False, True])
def test_all_parameters_are_sent_and_nothing_private_is_shown(
    emulator: Emulator, native: bool, caplog: pytest.LogCaptureFixture
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
        custom_sip_headers={"X-Customer": "{{ facts.note }}"},
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
        "custom_sip_headers": {"X-Customer": NOTE},
        "honor_internal_dnc": True,
    }
    for private in (FROM[1:], TO[1:], NOTE):
        assert private not in f"{rendered_fields(operator)} {result} {caplog.text}"
    assert result["metadata_keys"] == ["airflow_call_key", "n", "note"]


@pytest.mark.parametrize("native", [False, True])
def test_an_empty_agent_selects_the_agent_of_the_number(emulator: Emulator, native: bool) -> None:
    run_try(phone_call(override_agent_id="{{ '' }}", override_agent_version="{{ '' }}"), native=native)
    assert "override_agent_id" not in emulator.requests[0].body
    assert "override_agent_version" not in emulator.requests[0].body


INVALID = [
    "4155550123",
    4155550123,
    14155550123.0,
    "+1 415 555 0123",
    "+0155550123",
    "tel:4155550123",
    "415_555_0123",
    "0x5D21DBA00",
    "+14155550123;ext=12",
    "+14155550123,,5#",
    "+１４１５５５５０１２３",  # noqa: RUF001
]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("bad", INVALID)
@pytest.mark.usefixtures("whole_log")
def test_an_invalid_number_is_rejected_without_showing_it(
    emulator: Emulator, bad: Any, native: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(
        AirflowFailException, match=r"to_number must be a phone number.*ignore_e164_.*Nothing was sent"
    ) as error:
        run_try(phone_call(to_number="{{ number }}"), ti=(ti := Ti()), number=bad, native=native)
    assert ti.xcom == {"outcome": "invalid_number"}
    assert not emulator.requests
    assert "555" not in str(error.value) + str(error.value.__cause__) + caplog.text


@pytest.mark.usefixtures("whole_log")
def test_numbers_in_a_response_are_masked(emulator: Emulator, caplog: Any) -> None:
    quote = {"status": "error", "message": f"{TO} is not reachable from {FROM}: (415) 555-0123, note {NOTE}"}
    emulator.faults.add(Fault.status(400, body=quote), route="create-phone-call")
    with pytest.raises(AirflowFailException, match="is not reachable from") as error:
        run_try(phone_call(metadata={"note": NOTE}))
    assert not {TO, FROM, "555-0123", NOTE} & set(str(error.value).split())
    assert "555" not in str(error.value) + caplog.text
    assert NOTE not in str(error.value)


def test_custom_telephony_accepts_other_numbers_as_text(emulator: Emulator) -> None:
    run_try(phone_call(to_number="{{ '1001' }}", ignore_e164_validation=True))
    run_try(phone_call(to_number="{{ '+1001' }}", ignore_e164_validation=True), native=True, map_index=1)
    assert [call["to_number"] for call in emulator.placed] == ["1001", "+1001"]
    with pytest.raises(AirflowFailException, match="to_number must be text"):
        run_try(phone_call(to_number=1001, ignore_e164_validation=True), map_index=2)


@pytest.mark.parametrize("name", ["from_number", "to_number"])
@pytest.mark.parametrize("bad", [*INVALID, None, "", True])
def test_an_invalid_number_in_the_dag_file_fails_when_the_dag_is_read(name: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a phone number in E.164 format") as error:
        phone_call(**{name: bad})
    assert "555" not in str(error.value)
    assert "Nothing was sent" not in str(error.value)


# -- outcomes that are not errors


@pytest.mark.parametrize("bad", [*INVALID, None, ""])
def test_a_call_to_an_invalid_number_can_be_skipped(emulator: Emulator, bad: Any) -> None:
    ti = Ti()
    operator = phone_call(to_number="{{ number }}", on_invalid_number="skip")
    with pytest.raises(AirflowSkipException, match=r"Nobody was called \(invalid_number\)") as error:
        run_try(operator, ti=ti, number=bad)
    assert ti.xcom == {"outcome": "invalid_number"}
    assert not emulator.requests
    assert "555" not in str(error.value)
    assert "Nothing was sent" not in str(error.value)


@pytest.mark.parametrize("on_invalid_number", ["skip", "fail"])
def test_an_invalid_number_after_a_call_names_the_call(emulator: Emulator, on_invalid_number: Any) -> None:
    run_try(phone_call())
    ti = Ti(2)
    with pytest.raises(AirflowFailException, match="which this task placed before, went to another number"):
        run_try(phone_call(to_number="{{ '' }}", on_invalid_number=on_invalid_number), ti=ti)
    assert ti.xcom == {}
    assert len(emulator.placed) == 1


def test_an_invalid_own_number_is_never_skipped(emulator: Emulator) -> None:
    with pytest.raises(AirflowFailException, match="from_number must be a phone number"):
        run_try(phone_call(from_number="{{ 'x' }}", on_invalid_number="skip"))


def test_a_call_to_a_do_not_call_contact_can_be_skipped(emulator: Emulator, store: Any) -> None:
    emulator.organization.do_not_call.add(TO)
    ti = Ti()
    operator = phone_call(honor_internal_dnc=True, on_do_not_call="skip", metadata={"consent": "not"})
    skipped = r"^Nobody was called \(do_not_call\): the contact is marked as do-not-call in Retell$"
    with pytest.raises(AirflowSkipException, match=skipped):
        run_try(operator, ti=ti, store=store)
    assert ti.xcom == {"outcome": "do_not_call"}
    assert not emulator.placed
    emulator.organization.do_not_call.clear()
    run_try(phone_call(honor_internal_dnc=True, on_do_not_call="skip"), ti=ti, store=store)
    assert ti.xcom["outcome"] == "placed"
    assert len(emulator.placed) == 1


def test_a_refusal_by_the_do_not_call_list_says_what_to_do(emulator: Emulator) -> None:
    emulator.organization.do_not_call.add(TO)
    with pytest.raises(AirflowFailException, match=r"do not call.*on_do_not_call='skip'") as error:
        run_try(phone_call(honor_internal_dnc=True))
    assert isinstance(error.value.__cause__, DoNotCallError)
    assert not emulator.placed


def test_a_number_that_the_organization_does_not_have_is_named(emulator: Emulator) -> None:
    body = {"status": "error", "message": f"Item {FROM} not found from phone-number"}
    emulator.faults.add(Fault.status(404, body=body), route="create-phone-call")
    with pytest.raises(AirflowFailException, match=r"Item \*\*\* not found.*Check from_number"):
        run_try(phone_call(metadata={"phone": "number"}))
    assert emulator.count("create-phone-call") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"on_clear": "again"}, "on_clear must be 'skip' or 'resend', not 'again'"),
        (
            {"wait_until": "answered"},
            "wait_until must be 'ended', 'analyzed', 'transfer_ended' or None, not 'answered'",
        ),
        ({"stop_on_kill": "False"}, "stop_on_kill must be True or False"),
        ({"ignore_e164_validation": "{{ params.any }}"}, "ignore_e164_validation must be True or False"),
        ({"on_invalid_number": "ignore"}, "on_invalid_number must be 'fail' or 'skip', not 'ignore'"),
        ({"on_do_not_call": None}, "on_do_not_call must be 'fail' or 'skip', not None"),
        ({"on_do_not_call": "skip"}, "on_do_not_call='skip' requires honor_internal_dnc=True"),
        ({"honor_internal_dnc": 1}, "honor_internal_dnc must be True or False, not 1"),
        ({"agent_override": "x"}, "agent_override must be a dict, not text"),
        ({"custom_sip_headers": ["x"]}, "custom_sip_headers must be a dict, not list"),
        ({"deferrable": "False"}, "deferrable must be True or False"),
        ({"poll_interval": -1}, "poll_interval must be seconds or a timedelta, more than 0, not -1"),
        ({"wait_timeout": -1}, "wait_timeout must be seconds or a timedelta, 0 or more"),
        ({"max_poll_failures": -1}, "max_poll_failures must be a whole number of at least 0"),
    ],
)
def test_an_invalid_parameter_fails_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        phone_call(**arguments)


# -- waiting


def test_a_wait_in_the_worker_returns_the_call(emulator: Emulator, no_sleep: None) -> None:
    result = run_try(phone_call(wait_until="ended"))
    assert (result["call_status"], len(emulator.placed)) == ("ended", 1)
    assert "call_analysis" not in emulator.placed[0]
    run_try(phone_call(wait_until="analyzed"), try_number=2)
    assert "call_analysis" in emulator.placed[0]
    assert len(emulator.placed) == 1


@pytest.mark.parametrize("until", ["ended", "analyzed"])
def test_a_deferred_wait_returns_the_call(emulator: Emulator, until: Any) -> None:
    result = run_deferred(
        lambda: phone_call(wait_until=until, deferrable=True, poll_interval=0.05),
        on_deferral=lambda _: emulator.clock.advance(120),
    )
    assert (result["call_status"], len(emulator.placed)) == ("ended", 1)
    assert ("call_analysis" in emulator.placed[0]) or until == "ended"
    cost = emulator.placed[0]["call_cost"]
    assert result["call_cost"] == {"cents": cost["combined_cost"], "seconds": cost["total_duration_seconds"]}
    assert "analysis" not in result


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_result_has_the_requested_fields_of_the_analysis(emulator: Emulator, deferrable: bool) -> None:
    arguments: dict[str, Any] = {
        "wait_until": "analyzed",
        "analysis_fields": ["score", "call_successful"],
        "poll_interval": 30,
        "deferrable": deferrable,
    }
    with no_waiting(emulator.clock.advance):
        result = run_deferred(lambda: phone_call(**arguments))
    assert result["analysis"] == {"score": 0.9, "call_successful": True}


def test_the_log_has_the_time_since_the_start_of_the_wait_although_dags_test_passes_only_the_event(
    emulator: Emulator, no_sleep: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    make = lambda: phone_call(wait_until="ended", deferrable=True, poll_interval=1)  # noqa: E731
    run_deferred(make, by_event=True, on_deferral=lambda _: caplog.clear())
    # Without the lines of the trigger, which Airflow 2 logs here.
    [line] = [record.getMessage() for record in caplog.records if record.name.endswith("wait_log")]
    assert line.startswith("Finished waiting for call")
    assert " after 0" not in line


@pytest.mark.parametrize("until", [None, "ended", "transfer_ended"])
def test_analysis_fields_need_the_wait_for_the_analysis(until: Any) -> None:
    with pytest.raises(ValueError, match="analysis_fields needs wait_until='analyzed'"):
        phone_call(wait_until=until, analysis_fields=["score"])


THROTTLED = Fault.status(429, headers={"Retry-After": "121"})


def test_a_failed_last_poll_of_a_deferred_task_does_not_end_the_wait(emulator: Emulator) -> None:
    operator = phone_call(wait_until="ended", deferrable=True, poll_interval=0.05, max_poll_failures=0)
    deferred = defer(operator)
    emulator.clock.advance(120)
    event = event_of(restored(deferred.trigger))
    emulator.faults.add(THROTTLED, route="get-call")
    with pytest.raises(TaskDeferred) as error:
        operator.resume({}, event, **(deferred.kwargs or {}))
    assert error.value.kwargs == deferred.kwargs  # with the same deadline
    assert operator.resume({}, event, **(deferred.kwargs or {}))["call_status"] == "ended"
    assert emulator.count("get-call", status=429) == 1
    assert len(emulator.placed) == 1


@pytest.mark.parametrize("lost", [{2}, {2, 3}])
@pytest.mark.usefixtures("no_sleep")
def test_a_wait_survives_a_connection_that_is_missing_for_a_while(
    emulator: Emulator, failing_lookups: set[int], lost: set[int]
) -> None:
    failing_lookups |= lost
    assert run_try(phone_call(wait_until="ended"))["call_status"] == "ended"


def test_a_connection_that_is_missing_before_the_call_fails_the_task(
    emulator: Emulator, failing_lookups: set[int]
) -> None:
    failing_lookups.add(1)
    with pytest.raises(AirflowFailException, match="isn't defined.*Nothing was sent"):
        run_try(phone_call(wait_until="ended"))
    assert not emulator.placed


def test_a_retry_after_a_wait_that_timed_out_waits_for_the_same_call(emulator: Emulator, store: Any) -> None:
    with no_waiting(), pytest.raises(WaitTimeoutError, match="Timed out after 1 min of waiting for call"):
        run_try(phone_call(wait_until="ended", wait_timeout=60), store=store)
    emulator.clock.advance(60)
    assert run_try(phone_call(wait_until="ended"), try_number=2, store=store)["call_status"] == "ended"
    assert len(emulator.placed) == 1


def test_a_wait_that_ended_with_an_error_places_no_second_call(emulator: Emulator) -> None:
    event = {"status": "error", "permanent": True, "message": "Stopped waiting"}
    with pytest.raises(AirflowFailException, match="Stopped waiting") as error:
        phone_call(wait_until="ended").resume({}, event)
    assert isinstance(error.value.__cause__, WaitFailedError)
    assert not emulator.placed


# -- killed


class Terminated(BaseException):
    pass


@pytest.mark.parametrize(("stop_on_kill", "status"), [(True, "ended"), (False, "registered")])
def test_stop_on_kill_hangs_up_when_the_worker_is_killed(
    emulator: Emulator, stop_on_kill: bool, status: str
) -> None:
    operator = phone_call(wait_until="ended", stop_on_kill=stop_on_kill)

    def sigterm(_: float) -> None:
        operator.on_kill()  # Airflow's signal handler calls it
        raise Terminated

    with no_waiting(sigterm), pytest.raises(Terminated):
        run_try(operator)
    assert emulator.placed[0]["call_status"] == status


def test_stop_on_kill_tolerates_a_call_that_has_ended(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    operator = phone_call(wait_until="ended", stop_on_kill=True, deferrable=True)
    operator.on_kill()  # nothing is placed yet
    assert not emulator.requests
    defer(operator)
    emulator.clock.advance(60)
    operator.on_kill()
    assert "could not be stopped" in caplog.text
    assert "Check whether it is still ongoing" in caplog.text


@pytest.mark.parametrize(("stop_on_kill", "status"), [(True, "ended"), (False, "registered")])
def test_stop_on_kill_hangs_up_when_a_deferred_task_is_killed(
    emulator: Emulator, stop_on_kill: bool, status: str
) -> None:
    operator = phone_call(wait_until="ended", stop_on_kill=stop_on_kill, deferrable=True)
    asyncio.run(restored(defer(operator).trigger).on_kill())
    assert emulator.placed[0]["call_status"] == status


@pytest.mark.parametrize(("stop_on_kill", "status"), [(True, "ended"), (False, "registered")])
def test_stop_on_kill_hangs_up_when_execution_timeout_ends_a_deferred_wait(
    emulator: Emulator, stop_on_kill: bool, status: str
) -> None:
    arguments: dict[str, Any] = {
        "wait_until": "ended",
        "stop_on_kill": stop_on_kill,
        "deferrable": True,
        "execution_timeout": timedelta(seconds=20),
        "wait_timeout": 60,
    }
    with no_waiting():
        deferred = defer(phone_call(**arguments))
        event = event_of(restored(deferred.trigger))
        operator = phone_call(**arguments)
        with pytest.raises(AirflowTaskTimeout, match="execution_timeout"):
            operator.resume({}, event, **json.loads(json.dumps(deferred.kwargs)))
        operator.on_kill()  # Airflow's task runner calls it after an AirflowTaskTimeout
    assert emulator.placed[0]["call_status"] == status
