"""Operators for an ongoing call: change it or hang up."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tasks import rendered_fields, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RateLimitError, RetellResponseError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.live_call import StopCallOperator, UpdateLiveCallOperator

NOTE = "Ada's private note"


def live(**arguments: Any) -> UpdateLiveCallOperator:
    return UpdateLiveCallOperator(task_id="a_task", **{"call_id": "call_1", **arguments})


@pytest.fixture(autouse=True)
def ongoing(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(call_id="call_1", call_status="ongoing", metadata={"old": 1})


# -- update


@pytest.mark.parametrize("native", [False, True])
def test_all_parameters_are_sent_and_nothing_private_is_shown(
    emulator: Emulator, native: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    operator = live(
        metadata="{{ facts | tojson }}",
        override_dynamic_variables={"name": "{{ facts.note }}"},
        data_storage_setting="{{ 'everything_except_pii' }}",
        additional_context="{{ facts.code }}",
        trigger_response=True,
    )
    result = run_try(operator, native=native, facts={"note": NOTE, "code": 4711})
    assert emulator.requests[0].body == {
        "fields_to_override": {
            "metadata": {"note": NOTE, "code": 4711},
            "override_dynamic_variables": {"name": NOTE},
            "data_storage_setting": "everything_except_pii",
        },
        "call_control": {"additional_context": "4711", "trigger_response": True},
    }
    assert result == {"call_id": "call_1", "updated": True}
    assert NOTE not in f"{rendered_fields(operator)} {caplog.text}"
    assert "4711" not in f"{rendered_fields(operator)} {caplog.text}"


@pytest.mark.parametrize(
    ("arguments", "fields", "control"),
    [
        (
            {"metadata": {"new": 1}, "data_storage_setting": "{{ none }}"},
            {"fields_to_override": {"metadata": {"new": 1}}},
            {},
        ),
        (
            {"clear_dynamic_variables": True},
            {"fields_to_override": {"override_dynamic_variables": None}},
            {},
        ),
        (
            {"clear_metadata": True, "additional_context": "Hi", "trigger_response": False},
            {"fields_to_override": {"metadata": {}}},
            {"call_control": {"additional_context": "Hi"}},
        ),
    ],
    ids=["empty storage setting", "clear variables", "clear metadata"],
)
def test_only_what_is_set_is_sent(emulator: Emulator, arguments: Any, fields: Any, control: Any) -> None:
    run_try(live(**arguments), none=None)
    assert emulator.requests[0].body == fields | control


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"trigger_response": False, "metadata": {}}, r"metadata is empty.*clear_metadata=True"),
        ({"metadata": "{{ facts }}"}, r"metadata is empty.*clear_metadata=True"),
        ({"override_dynamic_variables": {}}, r"variables is empty.*clear_dynamic_variables=True"),
    ],
)
def test_an_update_without_content_is_rejected(
    ongoing: dict[str, Any], emulator: Emulator, arguments: Any, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=says):
        run_try(live(**arguments), facts={})
    assert not emulator.requests
    assert ongoing["metadata"] == {"old": 1}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"clear_dynamic_variables": "False"}, "clear_dynamic_variables must be True or False"),
        ({"clear_metadata": "False"}, "clear_metadata must be True or False"),
        ({"trigger_response": "False"}, "trigger_response must be True or False"),
        ({"clear_metadata": True, "metadata": {"a": 1}}, "metadata and clear_metadata must not both be set"),
        (
            {"clear_dynamic_variables": True, "override_dynamic_variables": {"a": "b"}},
            "override_dynamic_variables and clear_dynamic_variables must not both be set",
        ),
        ({"data_storage_setting": "nothing"}, "data_storage_setting must be 'everything'"),
        ({}, "set metadata, .* or trigger_response=True"),
        ({"trigger_response": False}, "set metadata, .* or trigger_response=True"),
    ],
)
def test_an_invalid_parameter_fails_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        live(**arguments)


@pytest.mark.parametrize("arguments", [{"additional_context": "Hi"}, {"trigger_response": True}])
@pytest.mark.parametrize(
    "fault", [Fault.drop_after(), Fault.status(500), Fault.garbage(), Fault.status(403, body="<html>blocked")]
)
def test_an_instruction_with_an_unknown_outcome_is_not_sent_again(
    emulator: Emulator, arguments: Any, fault: Fault
) -> None:
    emulator.faults.add(fault, route="update-live-call")
    with pytest.raises(
        AirflowFailException, match="update-live-call of call call_1.*unknown.*not sent again"
    ) as error:
        run_try(live(**arguments))
    assert "task again later" not in str(error.value)
    assert "try again" not in str(error.value)
    assert str(error.value).count("unknown") == 1
    assert emulator.count("update-live-call") == 1


@pytest.mark.parametrize("arguments", [{"additional_context": "Hi"}, {"trigger_response": True}])
def test_an_instruction_that_was_not_processed_is_left_to_airflows_retries(
    emulator: Emulator, arguments: Any
) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="update-live-call")
    with pytest.raises(RateLimitError):
        run_try(live(**arguments))


def test_a_call_that_has_ended_is_not_changed(emulator: Emulator) -> None:
    emulator.edit_call("call_1", call_status="ended")
    with pytest.raises(
        AirflowFailException, match=r"update-live-call of call call_1.*has ended, use UpdateCallOperator"
    ):
        run_try(live(metadata={"new": 1}))


@pytest.mark.parametrize("arguments", [{"additional_context": "Hi"}, {"trigger_response": True}])
def test_an_instruction_without_success_is_not_sent_again(emulator: Emulator, arguments: Any) -> None:
    emulator.faults.add(Fault.status(200, body={"success": False}), route="update-live-call")
    with pytest.raises(AirflowFailException, match="did not succeed.*so it is not sent again"):
        run_try(live(**arguments))


def test_a_response_without_success_fails_the_task(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(200, body={"success": False}), route="update-live-call")
    with pytest.raises(RetellResponseError, match="the update did not succeed. Check in Retell's dashboard"):
        run_try(live(metadata={"new": 1}))


# -- stop


def stop() -> StopCallOperator:
    return StopCallOperator(task_id="a_task", call_id="call_1")


@pytest.mark.parametrize("status", ["registered", "ongoing"])
def test_a_live_call_is_stopped(emulator: Emulator, status: str) -> None:
    emulator.edit_call("call_1", call_status=status)
    assert run_try(stop()) == {"call_id": "call_1", "stopped": True}
    assert emulator.calls["call_1"]["disconnection_reason"] == "manual_stopped"


def test_a_login_page_with_200_does_not_stop_a_call(emulator: Emulator) -> None:
    emulator.faults.add(Fault.garbage("<html>Please log in</html>"), route="stop-call")
    with pytest.raises(RetellResponseError, match="check the host in the Airflow connection"):
        run_try(stop())
    assert emulator.calls["call_1"]["call_status"] == "ongoing"
    assert run_try(stop()) == {"call_id": "call_1", "stopped": True}


def test_a_call_that_has_ended_needs_no_stop(emulator: Emulator) -> None:
    emulator.edit_call("call_1", call_status="ended")
    assert run_try(stop()) == {"call_id": "call_1", "stopped": False}
    assert emulator.count("stop-call") == 0


@pytest.mark.usefixtures("no_sleep")
def test_a_call_that_ends_before_the_stop_is_no_error(emulator: Emulator) -> None:
    emulator.faults.add(Fault.drop_after(), route="stop-call")
    assert run_try(stop()) == {"call_id": "call_1", "stopped": False}
    assert emulator.count("stop-call") == 2


def test_a_refusal_to_stop_a_live_call_fails_the_task(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(400), route="stop-call")
    with pytest.raises(AirflowFailException, match="stop-call of call call_1"):
        run_try(stop())


@pytest.mark.parametrize("name", ["metadata", "override_dynamic_variables", "additional_context"])
def test_an_empty_value_is_an_error_that_names_the_call(name: str) -> None:
    says = f"update-live-call of call call_1: {name} rendered to an empty value"
    with pytest.raises(AirflowFailException, match=says):
        run_try(live(trigger_response=True, **{name: "{{ none }}"}), none=None)
