"""DeleteCallOperator: deletion, missing calls, refusals and dry runs."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tasks import run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    NotFoundError,
    RetellResponseError,
    UnprocessableError,
)
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.call import DeleteCallOperator


@pytest.fixture(autouse=True)
def ended(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1", call_type="web_call", call_status="ended")


def delete(call_id: str = "call_1", **arguments: Any) -> DeleteCallOperator:
    return DeleteCallOperator(task_id="a_task", call_id=call_id, **arguments)


@pytest.mark.parametrize("missing_ok", [True, False])
@pytest.mark.parametrize("fault", [None, Fault.drop(), Fault.drop_after(), Fault.status(500)])
@pytest.mark.usefixtures("no_sleep")
def test_a_call_is_deleted(emulator: Emulator, fault: Fault | None, missing_ok: bool) -> None:
    if fault is not None:
        emulator.faults.add(fault, route="delete-call")
    result = run_try(delete(missing_ok=missing_ok))
    assert "call_1" not in emulator.calls
    # After a lost response, only a task that has read the call first knows that its own request deleted it.
    assert result["deleted"] is (missing_ok is False or fault is None or fault.kind != "drop_after")


def test_a_missing_call_is_no_error_by_default() -> None:
    assert run_try(delete("call_2")) == {"call_id": "call_2", "deleted": False}


def test_a_missing_call_is_an_error_without_missing_ok(emulator: Emulator) -> None:
    with pytest.raises(AirflowFailException, match="the API key belongs") as error:
        run_try(delete("call_2", missing_ok=False))
    assert isinstance(error.value.__cause__, NotFoundError)
    assert emulator.count("delete-call") == 0


@pytest.mark.parametrize("missing_ok", [True, False])
@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_to_delete_a_call_is_an_error(emulator: Emulator, status: int, missing_ok: bool) -> None:
    emulator.edit_call("call_1", call_status="ongoing")
    refusal = {"status": "error", "message": "Cannot delete an ongoing call"}
    emulator.faults.add(Fault.status(status, body=refusal), route="delete-call", times=0)
    with pytest.raises(
        CallNotEndedError, match=rf"call_1 is ongoing.*{status}: Cannot delete an ongoing call.*CallSensor"
    ):
        run_try(delete(missing_ok=missing_ok))
    emulator.calls["call_1"]["call_status"] = "ended"
    with pytest.raises(AirflowFailException, match=rf"call_1 still exists.*{status}") as error:
        run_try(delete(missing_ok=missing_ok))
    assert isinstance(error.value.__cause__, UnprocessableError)
    assert "call_1" in emulator.calls


@pytest.mark.parametrize("status", [400, 422])
def test_a_call_that_must_end_first_is_deleted_after_its_end(emulator: Emulator, status: int) -> None:
    emulator.edit_call("call_1", call_status="ongoing")
    emulator.options.delete_live_status = status
    with pytest.raises(CallNotEndedError, match="has not ended"):
        run_try(delete())
    emulator.edit_call("call_1", call_status="ended")
    assert run_try(delete())["deleted"] is True


@pytest.mark.parametrize("missing_ok", [True, False])
def test_an_api_key_that_cannot_read_calls_cannot_confirm_a_missing_call(
    emulator: Emulator, missing_ok: bool
) -> None:
    emulator.faults.add(Fault.status(403), route="get-call", times=0)
    with pytest.raises(AirflowFailException, match="get-call of call call_2.*403"):
        run_try(delete("call_2", missing_ok=missing_ok))


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_404_from_another_server_is_an_error(emulator: Emulator, dry_run: bool) -> None:
    emulator.faults.add(Fault.status(404, body="Cannot DELETE /v2"), times=0)
    with pytest.raises(AirflowFailException, match="does not know this endpoint"):
        run_try(delete(dry_run=dry_run))


@pytest.mark.parametrize("missing_ok", [True, False])
def test_a_login_page_with_200_deletes_nothing_and_is_retried(emulator: Emulator, missing_ok: bool) -> None:
    emulator.faults.add(Fault.garbage("<html>Please log in</html>"), route="delete-call")
    with pytest.raises(RetellResponseError, match="check the host in the Airflow connection") as error:
        run_try(delete(missing_ok=missing_ok))
    assert "log in" not in str(error.value)
    assert "call_1" in emulator.calls
    assert run_try(delete(missing_ok=missing_ok))["deleted"] is True


@pytest.mark.parametrize("missing_ok", [True, False])
def test_a_deleted_call_whose_answer_is_not_retells_is_deleted_or_missing_for_the_retry(
    emulator: Emulator, missing_ok: bool
) -> None:
    emulator.faults.add(Fault.garbage("OK"), route="delete-call")
    with pytest.raises(RetellResponseError):
        run_try(delete(missing_ok=missing_ok))
    del emulator.calls["call_1"]
    if missing_ok:
        assert run_try(delete()) == {"call_id": "call_1", "deleted": False}
    else:
        with pytest.raises(AirflowFailException, match="the API key belongs"):
            run_try(delete(missing_ok=False))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("given", [True, False, "True", "false"])
def test_missing_ok_may_be_a_template(native: bool, given: Any) -> None:
    operator = delete("call_2", missing_ok="{{ params.ok }}")
    if given in (True, "True"):
        assert run_try(operator, native=native, params={"ok": given})["deleted"] is False
        return
    with pytest.raises(AirflowFailException, match="the API key belongs"):
        run_try(operator, native=native, params={"ok": given})


@pytest.mark.parametrize("name", ["missing_ok", "dry_run"])
@pytest.mark.parametrize(
    ("given", "says"),
    [(None, "rendered to an empty value"), ("", "rendered to an empty value")]
    + [(value, "must be True or False") for value in ("yes", 2)],
)
def test_a_flag_that_is_neither_true_nor_false_deletes_nothing(
    emulator: Emulator, name: str, given: Any, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=f"{name} {says}"):
        run_try(delete(**{name: "{{ params.flag }}"}), params={"flag": given})
    assert not emulator.requests


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("dry_run", [True, "{{ params.dry_run }}"])
def test_a_dry_run_deletes_nothing(
    emulator: Emulator, native: bool, dry_run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    result = run_try(delete(dry_run=dry_run), native=native, params={"dry_run": True})
    assert result == {"call_id": "call_1", "deleted": False, "would_delete": True, "call_status": "ended"}
    assert "Dry run: would delete call call_1, which is ended" in caplog.text
    assert [request.route for request in emulator.requests] == ["get-call"]
    assert "call_1" in emulator.calls
    assert run_try(delete(dry_run="{{ params.dry_run }}"), params={"dry_run": False})["deleted"] is True


def test_a_dry_run_reports_a_missing_call() -> None:
    assert run_try(delete("call_2", dry_run=True)) == {
        "call_id": "call_2",
        "deleted": False,
        "would_delete": False,
    }
    with pytest.raises(AirflowFailException, match="the API key belongs"):
        run_try(delete("call_2", dry_run=True, missing_ok=False))
