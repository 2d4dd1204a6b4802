"""CreateBatchCallOperator: the request, and that no batch is sent twice."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from crashes import FAULTS, LATER, killed
from tasks import StateStore, Ti, eventually, rendered_fields, run_try

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.api.errors import (
    RateLimitError,
    RetellInputError,
    RetellStatusError,
    RetellTimeoutError,
)
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.batch_call import CreateBatchCallOperator

FROM, TO, OTHER = "+14155550100", "+14155550123", "+14155550199"
NOTE = "Ada's private note"
NOT_IN_LOOP = UUID(int=0)  # the region of a task outside loops in Airflow 3.4
TASKS = [{"to_number": TO, "metadata": {"note": NOTE}}, {"to_number": OTHER}]


def batch(**arguments: Any) -> CreateBatchCallOperator:
    return CreateBatchCallOperator(
        task_id="a_task", **{"from_number": FROM, "tasks": TASKS, "retries": 1, **arguments}
    )


# -- the request


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "given", ["{{ tasks }}", "{{ tasks | tojson }}", TASKS], ids=["python", "json", "list"]
)
def test_all_parameters_are_sent_and_nothing_private_is_shown(
    emulator: Emulator, given: Any, native: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    window = {"windows": [{"start": 0, "end": 1440}], "timezone": "UTC"}
    operator = batch(
        from_number="{{ from_number }}",
        tasks=given,
        name="{{ 'autumn' }}",
        trigger_timestamp="{{ 1700000000000 }}",
        reserved_concurrency=1,
        call_time_window=window,
    )
    result = run_try(operator, native=native, tasks=TASKS, from_number=FROM)
    metadata = emulator.requests[0].body["tasks"][1]["metadata"]
    assert list(metadata) == ["airflow_call_key", "airflow_request_digest"]
    assert emulator.requests[0].body == {
        "from_number": FROM,
        "tasks": [
            {"to_number": TO, "metadata": {"note": NOTE, **metadata}},
            {"to_number": OTHER, "metadata": metadata},
        ],
        "name": "autumn",
        "trigger_timestamp": 1700000000000,
        "reserved_concurrency": 1,
        "call_time_window": window,
    }
    assert result == {"batch_call_id": emulator.placed[0]["batch_call_id"], "total_task_count": 2}
    for private in (FROM[1:], TO[1:], OTHER[1:], NOTE):
        assert private not in f"{rendered_fields(operator)} {result} {caplog.text}"


START = datetime(2026, 12, 1, 10, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        1796112000000,
        "{{ start }}",
        "{{ start.isoformat() }}",
        "{{ start.timestamp() * 1000 }}",
        "2026-12-01T08:00:00Z",
        START,
        START.timestamp() * 1000,
    ],
)
def test_a_batch_starts_at_the_given_time(emulator: Emulator, given: Any, native: bool) -> None:
    run_try(batch(trigger_timestamp=given), native=native, start=START)
    assert emulator.requests[0].body["trigger_timestamp"] == 1796112000000


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (1796112000, "must be in epoch milliseconds; the value looks like seconds"),
        ("{{ 1796112000 }}", "must be in epoch milliseconds; the value looks like seconds"),
        (1796112000000000, "must be in epoch milliseconds; the value looks like microseconds"),
        (-1, "looks like seconds"),
        ("{{ none }}", "trigger_timestamp rendered to an empty value"),
        ("", "trigger_timestamp rendered to an empty value"),
        ("2026-12-01T10:00:00", "trigger_timestamp must have a time zone"),
        (datetime(2026, 12, 1), "trigger_timestamp must have a time zone"),  # noqa: DTZ001
        ("2026-12-01", "trigger_timestamp must have a time zone"),
        (NOTE, "trigger_timestamp must be epoch milliseconds, or a date and time with a time zone"),
        (True, "trigger_timestamp must be"),
        (float("nan"), "trigger_timestamp must be"),
        ([NOTE], "trigger_timestamp must be"),
    ],
)
def test_an_invalid_start_time_calls_nobody(emulator: Emulator, given: Any, says: str, native: bool) -> None:
    with pytest.raises(AirflowFailException, match=says) as error:
        run_try(batch(trigger_timestamp=given), native=native, none=None)
    assert isinstance(error.value.__cause__, RetellInputError)
    assert NOTE not in str(error.value)
    assert not emulator.requests


def test_an_empty_name_is_left_out(emulator: Emulator) -> None:
    run_try(batch(name="{{ none }}"), none=None)
    assert "name" not in emulator.requests[0].body


def test_the_number_of_tasks_is_the_default_of_the_count_in_the_response(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(201, body={"batch_call_id": "batch_1"}), route="create-batch-call")
    assert run_try(batch()) == {"batch_call_id": "batch_1", "total_task_count": 2}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"on_clear": "same"}, "on_clear must be 'skip' or 'resend', not 'same'"),
        ({"reserved_concurrency": -1}, "reserved_concurrency must be a whole number of at least 0, not -1"),
        ({"reserved_concurrency": "2"}, "reserved_concurrency must be a whole number"),
        ({"on_invalid_number": "ignore"}, "on_invalid_number must be 'fail' or 'skip', not 'ignore'"),
        ({"on_do_not_call": True}, "on_do_not_call must be 'fail' or 'skip', not True"),
        ({"allow_duplicates": "yes"}, "allow_duplicates must be True or False"),
        ({"from_number": "4155550100"}, "from_number must be a phone number in E.164 format"),
        ({"call_time_window": "mornings"}, "call_time_window must be a dict, not text"),
    ],
)
def test_an_invalid_parameter_fails_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        batch(**arguments)


# -- sent at most once


@pytest.mark.parametrize("seconds", LATER.values(), ids=LATER)
@pytest.mark.parametrize("fault", [name for name in FAULTS if "429" not in name])
def test_a_batch_with_an_unknown_outcome_is_not_sent_again(
    hasty: Emulator, store: Any, fault: str, seconds: float
) -> None:
    kind, sent = FAULTS[fault]
    hasty.faults.add(kind, route="create-batch-call")
    certain = "has already sent the batch"
    says = certain if sent and "later" not in fault else "unknown.*not sent again"
    with pytest.raises(
        AirflowFailException, match=rf"{says}.*dashboard.*set on_clear='resend' on the task in the DAG file"
    ):
        run_try(batch(), store=store)
    eventually(lambda: len(hasty.placed) == 2 * sent)
    hasty.clock.advance(seconds)
    says = certain if sent else "may have sent create-batch-call"
    for try_number, cleared_at in ((2, 0), (2, 1)):
        with pytest.raises(
            AirflowFailException,
            match=rf"{says}.*dashboard.*set on_clear='resend' on the task in the DAG file",
        ):
            run_try(batch(), try_number=try_number, cleared_at=cleared_at, store=store)
    assert hasty.count("create-batch-call") == 1
    run_try(batch(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert len(hasty.placed) == 2 * sent + 2


@pytest.mark.usefixtures("no_sleep")
@pytest.mark.parametrize("status", [409, 425, 429])
def test_a_batch_that_retell_postpones_is_repeated_and_then_sent_by_a_retry(
    emulator: Emulator, state_store: Any, status: int
) -> None:
    rule = emulator.faults.add(Fault.status(status), route="create-batch-call", times=0)
    with pytest.raises(RetellStatusError) as error:
        run_try(batch(), store=state_store)
    assert not isinstance(error.value, AirflowFailException)
    assert emulator.count("create-batch-call") > 1
    emulator.faults.remove(rule)
    run_try(batch(), try_number=2, store=state_store)
    assert len(emulator.placed) == 2


@pytest.mark.parametrize("fault", [Fault.status(408), Fault.status(403, body="<html>blocked")])
def test_a_status_that_does_not_say_whether_retell_acted_stops_the_batch(
    emulator: Emulator, store: Any, fault: Fault
) -> None:
    emulator.faults.add(fault, route="create-batch-call")
    with pytest.raises(AirflowFailException, match="unknown whether Retell processed it"):
        run_try(batch(), store=store)
    with pytest.raises(AirflowFailException, match="may have sent create-batch-call"):
        run_try(batch(), try_number=2, store=store)
    assert emulator.count("create-batch-call") == 1


@pytest.mark.parametrize(("step", "sent"), [("before", 0), ("acted", 2), ("received", 2)])
def test_a_batch_whose_worker_was_killed_is_not_sent_again(
    emulator: Emulator, store: Any, step: str, sent: int
) -> None:
    killed(step, lambda: run_try(batch(), store=store))
    assert len(emulator.placed) == sent
    says = "has already sent the batch" if sent else "may have sent create-batch-call"
    with pytest.raises(AirflowFailException, match=says):
        run_try(batch(), try_number=2, store=store)
    assert len(emulator.placed) == sent


def test_a_later_try_returns_the_batch_of_an_earlier_one(emulator: Emulator, store: Any) -> None:
    first = run_try(batch(), store=store)
    if store is None:
        with pytest.raises(AirflowFailException, match="has already sent the batch"):
            run_try(batch(), try_number=2, store=store)
    else:
        assert run_try(batch(), try_number=2, store=store) == first
        assert run_try(batch(), try_number=2, cleared_at=1, store=store) == first
    assert emulator.count("create-batch-call") == 1


def test_a_clear_with_resend_sends_the_batch_once_more(emulator: Emulator, store: Any) -> None:
    run_try(batch(on_clear="resend"), store=store)
    run_try(batch(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 4
    if store is None:
        with pytest.raises(AirflowFailException, match="has already sent the batch"):
            run_try(batch(on_clear="resend"), try_number=3, cleared_at=1)
    else:
        run_try(batch(on_clear="resend"), try_number=3, cleared_at=1, store=store)
    assert len(emulator.placed) == 4


def test_a_rejected_batch_can_be_sent_after_a_clear(emulator: Emulator, store: Any) -> None:
    emulator.faults.add(Fault.status(400), route="create-batch-call")
    with pytest.raises(AirflowFailException, match="answered 400") as error:
        run_try(batch(), store=store)
    assert ("set on_clear='resend' on the task in the DAG file" in str(error.value)) == (store is None)
    if store is None:
        with pytest.raises(AirflowFailException, match="may have sent|has already sent"):
            run_try(batch(), try_number=2, cleared_at=1)
        run_try(batch(on_clear="resend"), try_number=2, cleared_at=1)
    else:
        run_try(batch(), try_number=2, cleared_at=1, store=store)
    assert len(emulator.placed) == 2


@pytest.mark.usefixtures("no_sleep")
def test_a_batch_without_a_connection_can_be_sent_by_a_retry(
    emulator: Emulator, store: Any, connect: Any, deaf_server: str
) -> None:
    connect(deaf_server, connect_timeout=0.1)
    says = r"in time.*Retell did not process it" if store is None else "in time"
    with pytest.raises(AirflowFailException if store is None else RetellTimeoutError, match=says):
        run_try(batch(), store=store)
    if store is not None:
        connect(emulator)
        run_try(batch(), try_number=2, store=store)
        assert len(emulator.placed) == 2


def test_invalid_input_is_rejected_before_it_is_sent(emulator: Emulator, store: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"tasks\[1\].to_number.*Nothing was sent") as error:
        run_try(batch(tasks=[TASKS[0], {"to_number": "555 0123"}]), store=store)
    assert "555" not in str(error.value)
    if store is not None:
        run_try(batch(), try_number=2, store=store)
        assert len(emulator.placed) == 2


def test_throttling_beyond_the_retry_limits_is_left_to_airflow(emulator: Emulator, store: Any) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="create-batch-call")
    # Without a store, a retry could not know that nothing was sent.
    with pytest.raises(AirflowFailException if store is None else RateLimitError, match="429"):
        run_try(batch(), store=store)
    if store is not None:
        run_try(batch(), try_number=2, store=store)
        assert len(emulator.placed) == 2


def test_a_store_that_is_cleared_on_success_does_not_prove_a_first_try(
    emulator: Emulator, state_store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    run_try(batch(), store=state_store)
    state_store.clear()
    with pytest.raises(AirflowFailException, match="has already sent the batch"):
        run_try(batch(), try_number=2, cleared_at=1, store=state_store)
    assert len(emulator.placed) == 2


def test_a_batch_whose_calls_show_its_id_is_returned_to_the_same_people(
    emulator: Emulator, store: Any
) -> None:
    first = run_try(batch(), store=store)
    if store:
        store.clear()
    call = {**emulator.placed[0], "batch_call_id": first["batch_call_id"]}
    page = {"items": [call], "has_more": False}
    emulator.faults.add(Fault.status(200, body=page), route="list-calls", times=2)
    again = {"try_number": 2, "cleared_at": 1, "store": store, "region": NOT_IN_LOOP}
    with pytest.raises(AirflowFailException, match="from_number, tasks or do_not_call changed"):
        run_try(batch(tasks=TASKS[:1]), **again)
    assert run_try(batch(), **again) == first
    assert emulator.count("create-batch-call") == 1


OTHER_PEOPLE = {
    "another number": {"tasks": [TASKS[0], {"to_number": "+14155550177"}]},
    "fewer people": {"tasks": TASKS[:1]},
    "nobody": {"tasks": []},
    "other metadata": {"tasks": [{**TASKS[0], "metadata": {"note": "x"}}, TASKS[1]]},
    "another caller": {"from_number": "+14155550111"},
    "nobody who may be called": {"do_not_call": [TO, OTHER], "on_do_not_call": "skip"},
}


@pytest.mark.parametrize("cleared_at", [0, 1])
@pytest.mark.parametrize("others", OTHER_PEOPLE.values(), ids=OTHER_PEOPLE)
def test_the_batch_of_other_people_is_not_returned(
    emulator: Emulator, store: Any, others: dict[str, Any], cleared_at: int
) -> None:
    run_try(batch(), store=store)
    ti = Ti(2, cleared_at + 1)
    with pytest.raises(
        AirflowFailException, match=r"set on_clear='resend' on the task in the DAG file"
    ) as error:
        run_try(batch(**others), store=store, ti=ti)
    is_anybody_left = others.get("tasks") != [] and "do_not_call" not in others
    says = "tasks or do_not_call changed" if is_anybody_left else "Nobody is left to call, but"
    assert says in str(error.value)
    assert all(private[1:] not in str(error.value) for private in (TO, OTHER, FROM, NOTE))
    assert (len(emulator.placed), ti.xcom) == (2, {})


def test_the_batch_of_the_same_people_in_another_order_is_returned(
    emulator: Emulator, state_store: StateStore, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_try(batch(name="first"), store=state_store)
    caplog.clear()
    caplog.set_level(logging.INFO)
    again = run_try(batch(tasks=TASKS[::-1], name="second"), try_number=2, cleared_at=1, store=state_store)
    assert (again, len(emulator.placed)) == (first, 2)
    assert f"Batch {first['batch_call_id']}: found the batch of an earlier try" in caplog.text
    assert "accepted" not in caplog.text


def test_nobody_is_left_to_call_after_an_unknown_outcome(emulator: Emulator, state_store: StateStore) -> None:
    killed("before", lambda: run_try(batch(), store=state_store))
    with pytest.raises(
        AirflowFailException, match="Nobody is left to call, but an earlier try .* may have sent"
    ):
        run_try(batch(tasks=[]), try_number=2, store=state_store)


def test_the_store_and_the_calls_have_no_number_in_a_form_that_can_be_recovered(
    emulator: Emulator, state_store: StateStore
) -> None:
    """A digest without a secret could be reversed, and equal requests of two tasks must not look equal."""
    run_try(batch(tasks=[{"to_number": TO}]), store=state_store)
    run_try(batch(tasks=[{"to_number": TO}]), store=state_store, map_index=1)
    digests = {call["metadata"]["airflow_request_digest"] for call in emulator.placed}
    assert len(digests) == 2
    stored = str(state_store.all())
    assert all(each in stored for each in digests)
    assert TO[1:] not in stored


def test_a_batch_is_not_returned_if_the_api_key_has_changed(
    emulator: Emulator, state_store: StateStore, connect: Any
) -> None:
    """The API key is the secret of the digest."""
    run_try(batch(), store=state_store)
    connect(emulator.url, api_key="key_other")
    with pytest.raises(
        AirflowFailException, match=r"cannot be compared, because .* another API key.*'resend'"
    ) as error:
        run_try(batch(), try_number=2, store=state_store)
    assert "key_other" not in f"{error.value} {state_store.all()}"
    connect(emulator)
    assert run_try(batch(), try_number=2, store=state_store)["total_task_count"] == 2


# -- the people


def test_an_empty_list_of_people_skips_the_task_and_the_cleared_task(emulator: Emulator, store: Any) -> None:
    for cleared_at, tasks in enumerate(([], "{{ [] }}", "[]")):
        with pytest.raises(
            AirflowSkipException, match=r"There is nobody to call: no tasks.*No batch was sent"
        ):
            run_try(batch(tasks=tasks), try_number=cleared_at + 1, cleared_at=cleared_at, store=store)
        if not cleared_at:
            assert not emulator.requests
    assert emulator.count("create-batch-call") == 0


def test_a_number_that_occurs_twice_is_an_error(emulator: Emulator) -> None:
    twice = [{"to_number": TO}, {"to_number": OTHER}, {"to_number": TO}]
    with pytest.raises(
        AirflowFailException,
        match=r"tasks\[0\] and tasks\[2\] have the same to_number.*allow_duplicates=True",
    ) as error:
        run_try(batch(tasks=twice))
    assert TO not in str(error.value)
    assert not emulator.requests
    assert run_try(batch(tasks=twice, allow_duplicates=True))["total_task_count"] == 3


@pytest.mark.parametrize("native", [False, True])
def test_numbers_in_templates_stay_text(emulator: Emulator, native: bool) -> None:
    tasks = [{"to_number": "{{ to }}", "metadata": {"n": "{{ 1 }}"}}, {"to_number": "{{ other }}"}]
    run_try(batch(tasks=tasks, from_number="{{ start }}"), native=native, to=TO, other=OTHER, start=FROM)
    assert [call["to_number"] for call in emulator.placed] == [TO, OTHER]
    assert emulator.placed[0]["metadata"]["n"] == (1 if native else "1")


@pytest.mark.parametrize(
    "bad", [4155550123, "4155550123", "415_555_0123", "0x5D21DBA00", "+14155550123x5", None, ""]
)
def test_invalid_numbers_fail_or_are_left_out(emulator: Emulator, bad: Any) -> None:
    tasks = [{"to_number": bad}, {"to_number": TO}]
    with pytest.raises(AirflowFailException, match=r"tasks\[0\].to_number (must be|rendered to)") as error:
        run_try(batch(tasks=tasks))
    assert str(error.value).endswith("or set on_invalid_number='skip'. Nothing was sent")
    assert str(error.value).count("Nothing was sent") == 1
    assert not emulator.requests
    result = run_try(batch(tasks=tasks, on_invalid_number="skip"))
    assert result["total_task_count"] == 1
    assert result["skipped"] == {"invalid_number": [0], "do_not_call": []}
    assert [call["to_number"] for call in emulator.placed] == [TO]


@pytest.mark.parametrize("given", [[TO], "{{ forbidden }}"])
def test_do_not_call_numbers_fail_or_are_left_out(emulator: Emulator, given: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"tasks\[0\].to_number is in do_not_call") as error:
        run_try(batch(do_not_call=given), forbidden=[TO])
    assert TO not in str(error.value)
    operator = batch(do_not_call=given, on_do_not_call="skip")
    result = run_try(operator, forbidden=[TO])
    assert result["skipped"] == {"invalid_number": [], "do_not_call": [0]}
    assert [call["to_number"] for call in emulator.placed] == [OTHER]
    assert TO not in str(rendered_fields(operator))


def test_a_do_not_call_number_in_another_format_is_an_error(emulator: Emulator) -> None:
    for number in (14155550123, "415-555-0123"):
        with pytest.raises(AirflowFailException, match=r"do_not_call\[0\] must be a phone number"):
            run_try(batch(do_not_call=[number], on_do_not_call="skip", on_invalid_number="skip"))
    assert not emulator.requests


def test_a_batch_without_anybody_left_is_skipped(emulator: Emulator) -> None:
    ti = Ti()
    operator = batch(do_not_call=[TO, OTHER], on_do_not_call="skip")
    with pytest.raises(
        AirflowSkipException,
        match=r"nobody to call: no tasks are left, 2 skipped \(do_not_call: tasks 0, 1\)",
    ):
        run_try(operator, ti=ti)
    assert ti.xcom == {"skipped": {"invalid_number": [], "do_not_call": [0, 1]}}
    assert not emulator.requests


# -- the preflight


@pytest.fixture
def campaign(emulator: Emulator) -> Emulator:
    """An emulator with an agent, and a number that is bound to it."""
    emulator.add_agent(agent_id="agent_sales")
    emulator.add_phone_number(FROM, outbound_agents=[{"agent_id": "agent_sales", "weight": 1}])
    return emulator


def test_the_preflight_of_a_batch_that_can_call_is_followed_by_the_batch(campaign: Emulator) -> None:
    tasks = [*TASKS[:1], {"to_number": OTHER, "override_agent_id": "agent_sales"}]
    assert run_try(batch(tasks=tasks, preflight=True))["total_task_count"] == 2
    assert [each.route for each in campaign.requests] == [
        "get-phone-number",
        "list-agents",
        "create-batch-call",
    ]


def test_the_preflight_reads_the_agents_of_the_tasks(campaign: Emulator) -> None:
    _unbind(campaign)
    campaign.add_agent(agent_id="agent_support")
    tasks = [
        {**TASKS[0], "override_agent_id": "agent_sales"},
        {"to_number": OTHER, "override_agent_id": "agent_support"},
    ]
    assert run_try(batch(tasks=tasks, preflight=True))["total_task_count"] == 2
    campaign.agents["agent_support"].is_suspended = True
    with pytest.raises(AirflowFailException, match="agent agent_support is suspended"):
        run_try(batch(tasks=tasks, preflight=True))
    assert campaign.count("create-batch-call") == 1


def _remove_number(emulator: Emulator) -> None:
    del emulator.phone_numbers[FROM]


def _unbind(emulator: Emulator) -> None:
    emulator.phone_numbers[FROM]["outbound_agents"] = []


def _suspend(emulator: Emulator) -> None:
    emulator.agents["agent_sales"].is_suspended = True


def _remove_agent(emulator: Emulator) -> None:
    del emulator.agents["agent_sales"]


def _make_chat_agent(emulator: Emulator) -> None:
    emulator.agents["agent_sales"].channel = "chat"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_remove_number, "from_number must be a phone number of the API key's organization"),
        (_unbind, r"tasks\[0\] must have override_agent_id"),
        (_suspend, "agent agent_sales is suspended"),
        (_remove_agent, "the organization has no agent agent_sales"),
        (_make_chat_agent, "agent agent_sales is a chat agent"),
    ],
)
@pytest.mark.parametrize("missing_status", [404, 422])
def test_a_batch_that_cannot_call_fails_before_it_is_sent(
    campaign: Emulator, spoil: Any, message: str, missing_status: int, store: StateStore | None
) -> None:
    campaign.options.missing_asset_status = missing_status
    spoil(campaign)
    with pytest.raises(AirflowFailException, match=message) as failed:
        run_try(batch(preflight=True), store=store)
    assert FROM not in str(failed.value)
    assert campaign.count("create-batch-call") == 0


def test_a_try_after_the_batch_was_sent_has_no_preflight(campaign: Emulator, state_store: StateStore) -> None:
    operator = batch(preflight=True)
    result = run_try(operator, store=state_store)
    campaign.clear_requests()
    _suspend(campaign)
    assert run_try(operator, store=state_store, try_number=2) == result
    assert campaign.requests == []
