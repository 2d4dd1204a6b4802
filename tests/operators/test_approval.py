"""PhoneApprovalOperator: nobody is asked twice, and only an exact answer approves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import airflow
import pytest
from approvals import FIRST, FROM, HOUR, SECOND, answer, approval, asked
from crashes import killed, killed_at_request, without_retries
from tasks import DAG, continuation, defer, rendered_fields, run_deferred, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault, Lifecycle
from airflow_provider_retell.operators import GetCallOperator, PhoneApprovalOperator

GUIDE = Path(__file__).parents[2] / "docs/approval.md"
LATER = [pytest.param(HOUR - 1, id="within-the-hour"), pytest.param(HOUR + 1, id="after-the-hour")]
AIRFLOW_3 = not airflow.__version__.startswith("2.")

NO_ANSWER, BUSY, VOICEMAIL, IVR = (
    ("dial_no_answer",),
    ("dial_busy",),
    ("voicemail_reached",),
    ("ivr_reached",),
)
HANGS_UP = None

# The replies of the first and the second person, the number of calls, and the decision.
DECISIONS: dict[str, tuple[Any, Any, int, str]] = {
    "the first person says yes": (True, True, 1, "approved"),
    "the first person says no": (False, True, 1, "rejected"),
    "the first person hangs up, the second says yes": (HANGS_UP, True, 2, "approved"),
    "voicemail answers the first call, the second person says yes": (VOICEMAIL, True, 2, "approved"),
    "a phone menu answers the first call, the second person says yes": (IVR, True, 2, "approved"),
    "the first person does not answer, the second says no": (NO_ANSWER, False, 2, "rejected"),
    "the first number cannot be reached, the second person says yes": (BUSY, True, 2, "approved"),
    "nobody decides": (HANGS_UP, NO_ANSWER, 2, "fails"),
}


NO_VALUE = (
    "the analysis has no value for 'approved'. If this repeats, check that the agent's post-call analysis"
)


@pytest.fixture
def in_real_time(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator whose people can be set. Tasks really wait."""
    with Emulator(clock=Clock(frozen=True), outcomes={}, custom_analysis={}) as emulator:
        connect(emulator)
        yield emulator


@pytest.fixture
def emulator(in_real_time: Emulator) -> Iterator[Emulator]:
    """The same emulator, whose clock waits advance."""
    with no_waiting(in_real_time.clock.advance):
        yield in_real_time


@pytest.fixture
def at_once(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator whose calls are over and analyzed at once. Tasks really wait."""
    lifecycle = Lifecycle(answer=0, talk=0, analyze=0)
    with Emulator(clock=Clock(frozen=True), lifecycle=lifecycle, outcomes={}, custom_analysis={}) as emulator:
        connect(emulator)
        yield emulator


def outcome(make: Callable[[], Any], run: Callable[..., Any] = run_try, **options: Any) -> str:
    """Return the decision of a task, or ``fails``."""
    try:
        result = run(make() if run is run_try else make, **options)
    except AirflowFailException as error:
        assert "set on_clear='resend' on the task in the DAG file" in str(error)  # noqa: PT017
        return "fails"
    return str(result["decision"])


# -- decisions


@pytest.mark.parametrize("deferred", [False, True], ids=["in-the-worker", "deferred"])
@pytest.mark.parametrize("name", DECISIONS)
def test_the_first_decision_counts(emulator: Emulator, store: Any, name: str, deferred: bool) -> None:
    first, second, placed, decision = DECISIONS[name]
    answer(emulator, FIRST, first)
    answer(emulator, SECOND, second)
    run = run_deferred if deferred else run_try
    assert outcome(lambda: approval(deferrable=deferred), run, store=store) == decision
    assert asked(emulator) == [FIRST, SECOND][:placed]


def test_a_deferred_task_continues_with_the_event_alone(emulator: Emulator) -> None:
    answer(emulator, FIRST, HANGS_UP)
    answer(emulator, SECOND, True)
    result = run_deferred(lambda: approval(deferrable=True), by_event=True)
    assert result["decision"] == "approved"
    assert asked(emulator) == [FIRST, SECOND]


def test_no_decision_can_count_as_a_rejection(emulator: Emulator) -> None:
    answer(emulator, FIRST, NO_ANSWER)
    answer(emulator, SECOND, HANGS_UP)
    result = run_try(approval(on_no_decision="reject"))
    assert result == {
        "decision": "no_decision",
        "call_id": emulator.placed[1]["call_id"],
        "answered_at": None,
    }


@pytest.mark.parametrize(
    ("value", "decision"),
    [
        (True, "approved"),
        ("yes", "approved"),
        (1, "rejected"),
        ("Yes", "rejected"),
        ("yes, but not today", "rejected"),
        ("true", "rejected"),
        (False, "rejected"),
        ([True], "rejected"),
        ({"yes": True}, "rejected"),
        ("", "fails"),
        (" ", "fails"),
    ],
)
def test_only_an_exact_value_approves(emulator: Emulator, value: Any, decision: str) -> None:
    answer(emulator, FIRST, value)
    assert outcome(lambda: approval(to_numbers=[FIRST])) == decision


def test_another_field_and_other_values_can_decide(emulator: Emulator) -> None:
    emulator.options.custom_analysis[FIRST] = {"approved": True, "verdict": "go"}
    for values, decision in ((["go"], "approved"), ([True], "rejected")):
        operator = approval(decision_field="verdict", approve_values=values)
        assert run_try(operator, map_index=len(emulator.placed))["decision"] == decision
    assert run_try(approval(decision_field="call_successful"), map_index=2)["decision"] == "approved"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"call_analysis": {"in_voicemail": True, "custom_analysis_data": {"approved": True}}},
            "the call reached no person",
        ),
        ({"call_analysis": {"in_voicemail": False, "custom_analysis_data": None}}, NO_VALUE),
        ({"call_analysis": {"in_voicemail": False, "custom_analysis_data": {"approved": None}}}, NO_VALUE),
        ({"call_analysis": {"in_voicemail": False, "custom_analysis_data": {"approved": " "}}}, NO_VALUE),
        ({"call_status": "error", "duration_ms": None}, "the call never connected"),
        (
            {"call_status": "not_connected", "duration_ms": None, "call_analysis": None},
            "the call never connected",
        ),
    ],
    ids=["voicemail", "no fields", "null", "blank", "error", "never connected"],
)
def test_a_call_without_a_decision_approves_nothing_and_its_reason_is_logged(
    at_once: Emulator, caplog: pytest.LogCaptureFixture, change: dict[str, Any], reason: str
) -> None:
    caplog.set_level("INFO")
    answer(at_once, SECOND, False)
    at_once.faults.add(Fault.status(503), route="get-call", times=0)
    with no_waiting(), pytest.raises(RetellError):
        run_try(approval(max_poll_failures=0))
    at_once.faults.clear()
    at_once.edit_call(at_once.placed[0]["call_id"], **change)
    with no_waiting():
        result = run_try(approval(), try_number=2)
    assert result["decision"] == "rejected"
    assert asked(at_once) == [FIRST, SECOND]
    assert f"Call {at_once.placed[0]['call_id']}: no decision, because {reason}" in caplog.text


def test_a_number_that_may_not_be_called_gives_no_decision(emulator: Emulator) -> None:
    emulator.organization.do_not_call.add(FIRST)
    answer(emulator, SECOND, True)
    assert run_try(approval(honor_internal_dnc=True))["decision"] == "approved"
    assert asked(emulator) == [SECOND]


# -- nobody is asked twice


@pytest.mark.parametrize("seconds", LATER)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 7))
def test_a_worker_killed_at_any_request_asks_nobody_twice(
    at_once: Emulator, store: Any, number: int, when: str, seconds: float
) -> None:
    answer(at_once, FIRST, HANGS_UP)
    answer(at_once, SECOND, True)
    killed_at_request(number, when, lambda: run_try(approval(), store=store))
    at_once.clock.advance(seconds)
    result = run_try(approval(), try_number=2, store=store)
    assert (result["decision"], asked(at_once)) == ("approved", [FIRST, SECOND])


def test_the_run_has_no_more_requests_than_the_kills_cover(at_once: Emulator) -> None:
    answer(at_once, FIRST, HANGS_UP)
    answer(at_once, SECOND, True)
    run_try(approval())
    assert len(at_once.requests) == 6


@pytest.mark.parametrize("seconds", LATER)
@pytest.mark.parametrize("step", ["wait", "waiting"])
def test_a_worker_killed_during_a_call_asks_nobody_twice(
    in_real_time: Emulator, store: Any, step: str, seconds: float
) -> None:
    answer(in_real_time, FIRST, True)
    killed(step, lambda: run_try(approval(), store=store))
    in_real_time.clock.advance(seconds)
    with no_waiting(in_real_time.clock.advance):
        assert run_try(approval(), try_number=2, store=store)["decision"] == "approved"
    assert asked(in_real_time) == [FIRST]


def test_an_analysis_that_comes_late_decides_in_a_retry(emulator: Emulator, store: Any) -> None:
    answer(emulator, FIRST, True)
    with pytest.raises(WaitTimeoutError):
        run_try(approval(wait_timeout=35), store=store)
    assert emulator.placed[0]["call_status"] == "ended"
    assert "call_analysis" not in emulator.placed[0]
    assert run_try(approval(), try_number=2, store=store)["decision"] == "approved"
    assert asked(emulator) == [FIRST]


def test_an_outage_before_the_call_asks_nobody(emulator: Emulator, store: Any) -> None:
    answer(emulator, FIRST, True)
    emulator.faults.add(Fault.status(503), times=100)
    with pytest.raises(RetellError):
        run_try(without_retries(approval()), store=store)
    assert not emulator.placed
    emulator.faults.clear()
    assert run_try(approval(), try_number=2, store=store)["decision"] == "approved"
    assert asked(emulator) == [FIRST]


@pytest.mark.parametrize("seconds", LATER)
def test_a_call_whose_response_is_lost_is_not_repeated(
    emulator: Emulator, store: Any, seconds: float
) -> None:
    answer(emulator, FIRST, True)
    emulator.faults.add(Fault.drop_after(), route="create-phone-call")
    with pytest.raises(RetellError):
        run_try(without_retries(approval()), store=store)
    emulator.clock.advance(seconds)
    assert run_try(approval(), try_number=2, store=store)["decision"] == "approved"
    assert asked(emulator) == [FIRST]


def test_an_outage_during_the_wait_calls_nobody_else(emulator: Emulator, store: Any) -> None:
    answer(emulator, FIRST, True)
    emulator.faults.add(Fault.status(503), route="get-call", times=100)
    with pytest.raises(RetellError):
        run_try(approval(max_poll_failures=3), store=store)
    emulator.faults.clear()
    assert run_try(approval(), try_number=2, store=store)["decision"] == "approved"
    assert asked(emulator) == [FIRST]


CLEARS: dict[str, tuple[dict[str, Any], tuple[Any, Any], list[str], str]] = {
    "the task is cleared after a decision": ({}, (True, True), [FIRST], "approved"),
    "the task is cleared after a rejection": ({}, (False, True), [FIRST], "rejected"),
    "the task is cleared after nobody decided": ({}, (HANGS_UP, NO_ANSWER), [FIRST, SECOND], "fails"),
    'the task is cleared with `on_clear="resend"`': (
        {"on_clear": "resend"},
        (True, True),
        [FIRST, FIRST],
        "approved",
    ),
}


@pytest.mark.parametrize("discarded", [False, True], ids=["kept", "discarded"])
@pytest.mark.parametrize("seconds", LATER)
@pytest.mark.parametrize("name", CLEARS)
def test_a_clear_asks_again_only_with_resend(
    emulator: Emulator, store: Any, name: str, seconds: float, discarded: bool
) -> None:
    arguments, (first, second), placed, decision = CLEARS[name]
    answer(emulator, FIRST, first)
    answer(emulator, SECOND, second)
    outcome(lambda: approval(**arguments), store=store)
    for try_number in (2, 3):  # the cleared task, and its retry
        emulator.clock.advance(seconds)
        if store is not None and discarded and try_number == 2:
            store.clear()
        again = outcome(lambda: approval(**arguments), try_number=try_number, cleared_at=1, store=store)
        assert again == decision
    assert asked(emulator) == placed


def test_a_cleared_task_calls_only_the_numbers_that_were_added(emulator: Emulator, store: Any) -> None:
    answer(emulator, FIRST, NO_ANSWER)
    answer(emulator, SECOND, True)
    assert outcome(lambda: approval(to_numbers=[FIRST]), store=store) == "fails"
    result = run_try(approval(to_numbers=[SECOND, FIRST]), try_number=2, cleared_at=1, store=store)
    assert result["decision"] == "approved"
    assert asked(emulator) == [FIRST, SECOND]


@pytest.mark.parametrize("deferred", [False, True], ids=["in-the-worker", "deferred"])
def test_a_number_that_was_removed_decides_no_longer(emulator: Emulator, store: Any, deferred: bool) -> None:
    answer(emulator, FIRST, True)
    answer(emulator, SECOND, False)
    run_try(approval(to_numbers=[FIRST]), store=store)
    make = lambda: approval(to_numbers=[SECOND], deferrable=deferred)  # noqa: E731
    again = {"try_number": 2, "cleared_at": 1, "store": store}
    assert outcome(make, run_deferred if deferred else run_try, **again) == "rejected"
    assert asked(emulator) == [FIRST, SECOND]
    assert outcome(approval, **again) == "approved"


OTHER_QUESTIONS: dict[str, dict[str, Any]] = {
    "other variables": {"retell_llm_dynamic_variables": {"change": "drop table B"}},
    "no variables": {"retell_llm_dynamic_variables": None},
    "another agent": {"override_agent_id": "agent_2"},
    "another version": {"override_agent_version": 2},
    "other settings": {"agent_override": {"agent": {"voice_id": "x"}}},
    "another caller": {"from_number": "+14155550111"},
}


@pytest.mark.parametrize("cleared_at", [0, 1], ids=["retry", "clear"])
@pytest.mark.parametrize("name", OTHER_QUESTIONS)
@pytest.mark.usefixtures("whole_log")
def test_an_answer_to_another_question_does_not_count(
    emulator: Emulator, store: Any, name: str, cleared_at: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer(emulator, FIRST, True)
    asks = {"retell_llm_dynamic_variables": {"change": "load table A"}}
    run_try(approval(**asks), store=store)
    others = {**asks, **OTHER_QUESTIONS[name]}
    with pytest.raises(
        AirflowFailException,
        match=r"dynamic_variables, .* changed.*set on_clear='resend' on the task in the DAG file",
    ) as error:
        run_try(approval(**others), try_number=2, cleared_at=cleared_at, store=store)
    assert emulator.placed[0]["call_id"] in str(error.value)
    assert asked(emulator) == [FIRST]
    for private in ("table", FROM[1:], FIRST[1:]):
        assert private not in f"{error.value} {caplog.text} {store and store.all()}"
    resent = run_try(approval(**others, on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert (resent["decision"], asked(emulator)) == ("approved", [FIRST, FIRST])


def test_a_question_that_changes_during_a_deferred_wait_is_not_answered(emulator: Emulator) -> None:
    answer(emulator, FIRST, True)
    changes = iter(["load table A", "drop table B"])

    def make() -> Any:
        return approval(retell_llm_dynamic_variables={"change": next(changes)}, deferrable=True)

    with pytest.raises(AirflowFailException, match=r"dynamic_variables, .* changed"):
        run_deferred(make)


def test_an_answer_counts_although_the_metadata_of_the_call_was_replaced(
    emulator: Emulator, state_store: Any
) -> None:
    answer(emulator, FIRST, True)
    run_try(approval(), store=state_store)
    emulator.edit_call(emulator.placed[0]["call_id"], metadata={"note": "n"})
    assert run_try(approval(), try_number=2, cleared_at=1, store=state_store)["decision"] == "approved"
    assert asked(emulator) == [FIRST]


def test_an_answer_without_a_digest_of_its_question_does_not_count(emulator: Emulator) -> None:
    answer(emulator, FIRST, True)
    run_try(approval())
    metadata = {**emulator.placed[0]["metadata"], "airflow_request_digest": None}
    emulator.edit_call(emulator.placed[0]["call_id"], metadata=metadata)
    with pytest.raises(AirflowFailException, match=r"dynamic_variables, .* changed"):
        run_try(approval(), try_number=2, cleared_at=1)


@pytest.mark.parametrize("shown", [None, "sip:first@example.com"])
def test_a_number_that_retell_shows_in_another_form_is_not_called_again(
    emulator: Emulator, store: Any, shown: str | None
) -> None:
    answer(emulator, FIRST, HANGS_UP)
    answer(emulator, SECOND, NO_ANSWER)
    outcome(approval, store=store)
    emulator.edit_call(emulator.placed[0]["call_id"], to_number=shown)
    emulator.clock.advance(2 * HOUR)
    assert outcome(approval, try_number=2, cleared_at=1, store=store) == "fails"
    assert len(emulator.placed) == 2


def test_a_person_who_is_listed_twice_is_called_once(emulator: Emulator) -> None:
    answer(emulator, FIRST, HANGS_UP)
    assert outcome(lambda: approval(to_numbers=[FIRST, FIRST])) == "fails"
    assert asked(emulator) == [FIRST]


def test_iterations_of_a_loop_and_mapped_tasks_ask_on_their_own(emulator: Emulator) -> None:
    answer(emulator, FIRST, True)
    for options in ({"map_index": 0}, {"map_index": 1}, {"iteration": 0}, {"iteration": 1}):
        for try_number in (1, 2):
            assert run_try(approval(), try_number=try_number, **options)["decision"] == "approved"
    assert asked(emulator) == [FIRST] * 4


def test_a_rescheduled_try_asks_nobody_twice(emulator: Emulator, store: Any) -> None:
    answer(emulator, FIRST, True)
    emulator.faults.add(Fault.drop_after(), route="create-phone-call")
    with pytest.raises(RetellError):
        run_try(without_retries(approval()), store=store)
    emulator.clock.advance(2 * HOUR)
    assert run_try(approval(), store=store, task_reschedule_count=1)["decision"] == "approved"
    assert asked(emulator) == [FIRST]


@pytest.mark.parametrize("seconds", LATER)
@pytest.mark.parametrize("second", [True, HANGS_UP])
def test_a_continuation_that_runs_twice_asks_nobody_twice(
    emulator: Emulator, store: Any, seconds: float, second: Any
) -> None:
    answer(emulator, FIRST, NO_ANSWER)
    answer(emulator, SECOND, second)
    step = continuation(defer(approval(deferrable=True), store=store))
    defer(approval(deferrable=True), store=store, **step)
    assert asked(emulator) == [FIRST, SECOND]
    emulator.clock.advance(seconds)
    decision = "approved" if second else "fails"
    run = outcome(lambda: approval(deferrable=True), run_deferred, store=store, step=step)
    assert (run, asked(emulator)) == (decision, [FIRST, SECOND])


# -- rejections


def with_downstream(**arguments: Any) -> Any:
    """Return an operator with one task after another downstream, and a teardown."""
    with DAG("a_dag", schedule=None):
        operator = approval(**arguments)
        after, later, cleanup = (
            GetCallOperator(task_id=name, call_id="call_1") for name in ("after", "later", "cleanup")
        )
        operator >> after >> later
        operator >> cleanup.as_teardown()
    return operator


@pytest.mark.skipif(not AIRFLOW_3, reason="skipping needs Airflow's database before 3.0")
@pytest.mark.parametrize(("ignore", "skipped"), [(False, ["after"]), (True, ["after", "later"])])
@pytest.mark.parametrize("deferred", [False, True])
def test_a_rejection_skips_the_tasks_downstream(
    emulator: Emulator, ignore: bool, skipped: list[str], deferred: bool
) -> None:
    from airflow.exceptions import DownstreamTasksSkipped
    from tasks import Ti

    answer(emulator, FIRST, False)
    ti = Ti()
    make = lambda: with_downstream(  # noqa: E731
        ignore_downstream_trigger_rules=ignore, deferrable=deferred
    )
    with pytest.raises(DownstreamTasksSkipped) as ended:
        run_deferred(make, ti=ti)
    assert sorted(ended.value.tasks) == skipped
    # Airflow pushes no return value after this exception.
    assert ti.xcom["return_value"]["decision"] == "rejected"
    assert ti.xcom["skipmixin_key"] == {"skipped": ended.value.tasks}


def test_a_rejection_can_fail_the_task_without_retries(emulator: Emulator) -> None:
    answer(emulator, FIRST, False)
    with pytest.raises(AirflowFailException, match=r"Not approved: rejected, call call_"):
        run_try(with_downstream(fail_on_reject=True))


@pytest.mark.skipif(not AIRFLOW_3, reason="Airflow 2 reads the XCom of every upstream task")
def test_a_cleared_downstream_task_is_skipped_again() -> None:
    assert with_downstream().inherits_from_skipmixin
    with DAG("a_dag", schedule=None):
        mapped = PhoneApprovalOperator.partial(task_id="a_task", from_number=FROM).expand(
            to_numbers=[[FIRST]]
        )
    assert mapped.inherits_from_skipmixin


# -- privacy and input


@pytest.mark.parametrize("native", [False, True])
def test_nothing_that_was_said_and_no_number_is_shown(
    emulator: Emulator, state_store: Any, native: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer(emulator, FIRST, HANGS_UP)
    emulator.options.custom_analysis[SECOND] = {"approved": "yes", "said": "zebra-umbrella"}
    operators = []

    def make() -> Any:
        operators.append(approval(to_numbers=["{{ first }}", "{{ second }}"], deferrable=True))
        return operators[-1]

    result = run_deferred(make, native=native, store=state_store, first=FIRST, second=SECOND)
    second = emulator.placed[1]
    assert result == {
        "decision": "approved",
        "call_id": second["call_id"],
        "answered_at": result["answered_at"],
    }
    assert result["answered_at"].endswith("+00:00")
    deferred = defer(make(), map_index=1, native=native, first=FIRST, second=SECOND)
    stored = (deferred.trigger.serialize(), deferred.kwargs, state_store.all())
    shown = f"{stored} {result} {[rendered_fields(each) for each in operators]} {caplog.text}"
    for private in (FIRST[1:], SECOND[1:], FROM[1:], "zebra-umbrella"):
        assert private not in shown


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("template", ["{{ numbers }}", "{{ numbers | tojson }}"])
def test_a_template_can_render_to_the_list(emulator: Emulator, native: bool, template: str) -> None:
    answer(emulator, FIRST, True)
    result = run_try(approval(to_numbers=template), native=native, numbers=[FIRST, SECOND])
    assert result["decision"] == "approved"


@pytest.mark.parametrize("numbers", [[], [FIRST, "4155550123"], [FIRST, None], FIRST, None, {"a": FIRST}])
def test_an_invalid_list_calls_nobody(emulator: Emulator, numbers: Any) -> None:
    with pytest.raises(AirflowFailException, match="to_numbers") as error:
        run_try(approval(to_numbers="{{ numbers }}"), native=True, numbers=numbers)
    assert not emulator.placed
    assert "4155550123" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to_numbers": []}, r"to_numbers must have at least one entry"),
        ({"to_numbers": FIRST}, r"to_numbers must be a list"),
        ({"to_numbers": [FIRST, "4155550123"]}, r"to_numbers\[1\]"),
        ({"decision_field": ""}, r"decision_field must not be blank"),
        ({"decision_field": "call_summary"}, r"call_summary"),
        ({"approve_values": "yes"}, r"approve_values must be a list"),
        ({"approve_values": []}, r"approve_values must have at least one entry"),
        ({"approve_values": [None]}, r"approve_values must be a list"),
        ({"approve_values": [" "]}, r"approve_values\[0\] must not be blank"),
        ({"on_no_decision": "approve"}, r"on_no_decision must be 'fail' or 'reject'"),
        ({"fail_on_reject": "no"}, r"fail_on_reject must be"),
        ({"on_clear": "ask"}, r"on_clear must be"),
    ],
)
def test_an_invalid_parameter_is_an_error_in_the_dag_file(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        approval(**arguments)


def test_a_killed_task_hangs_up_if_the_dag_asks_for_it(emulator: Emulator) -> None:
    trigger = defer(approval(deferrable=True, stop_on_kill=True)).trigger
    assert trigger.serialize()[1]["stop_on_kill"] is True


# -- the guide


def test_the_table_in_the_guide_matches_these_scenarios() -> None:
    rows = [f"| {name} | {placed} | {decision} |" for name, (_, _, placed, decision) in DECISIONS.items()]
    rows += [f"| {name} | {len(placed)} | {decision} |" for name, (_, _, placed, decision) in CLEARS.items()]
    rows += [
        f"| {name} | 1 | approved |"
        for name in (
            "the analysis comes after `wait_timeout`, and the task is retried",
            "Retell is down before the first call, and the task is retried",
            "the response of the first call is lost, and the task is retried",
            "Retell is down during the wait, and the task is retried",
        )
    ]
    rows.append(
        "| the rest of a deferred task runs twice, and the first person does not answer | 2 | approved |"
    )
    rows += [
        "| the task is cleared, and the question has changed | 1 | fails |",
        "| the task is cleared, the first number was removed, and the second person says no | 2 | rejected |",
    ]
    rows.append("| the worker is killed at any time, and the first person hangs up | 2 | approved |")
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    assert sorted(line for line in lines if line.endswith(("approved |", "rejected |", "fails |"))) == sorted(
        rows
    )
