"""Operators that read, delete and analyze one call."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from crashes import killed
from tasks import eventually, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    NotFoundError,
    RateLimitError,
    UnprocessableError,
)
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.call import (
    DeleteCallOperator,
    GetCallOperator,
    RerunCallAnalysisOperator,
)

NOTE = "Ada's private note"


@pytest.fixture
def ongoing(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(call_id="call_1", call_status="ongoing")


@pytest.fixture
def ended(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(
        call_id="call_1", call_type="web_call", call_status="ended", metadata={"note": NOTE}
    )


# -- read


def test_get_returns_ids_status_and_keys_only(ended: dict[str, Any]) -> None:
    result = run_try(GetCallOperator(task_id="a_task", call_id="{{ which }}"), which="call_1")
    assert (result["call_id"], result["call_status"]) == ("call_1", "ended")
    assert result["metadata_keys"] == ["note"]
    for private in (NOTE, ended["transcript"], ended["recording_url"], ended["access_token"]):
        assert private not in str(result)


def test_get_writes_the_whole_call_without_its_access_token(
    ended: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "calls" / "call.json"
    result = run_try(GetCallOperator(task_id="a_task", call_id="call_1", path=str(path)))
    assert result["path"] == str(path)
    whole = json.loads(path.read_text())
    assert whole == {name: ended[name] for name in whole}
    assert {"transcript", "recording_url", "call_analysis", "metadata"} < set(whole)
    assert ended["access_token"] not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["call.json"]
    assert NOTE not in f"{result} {caplog.text}"


@pytest.mark.parametrize("to_file", [False, True])
def test_get_returns_the_cost_and_the_requested_fields_of_the_analysis(
    ended: dict[str, Any], tmp_path: Path, to_file: bool
) -> None:
    path = str(tmp_path / "call.json") if to_file else None
    arguments: dict[str, Any] = {"task_id": "a_task", "call_id": "call_1", "path": path}
    assert "analysis" not in run_try(GetCallOperator(**arguments))
    result = run_try(GetCallOperator(**arguments, analysis_fields=["score", "user_sentiment", "missing"]))
    assert result["analysis"] == {"score": 0.9, "user_sentiment": "Positive", "missing": None}
    cost = ended["call_cost"]
    assert result["call_cost"] == {"cents": cost["combined_cost"], "seconds": cost["total_duration_seconds"]}


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("path", ["{{ none }}", ""])
def test_get_with_an_empty_path_sends_nothing(
    ended: dict[str, Any], emulator: Emulator, native: bool, path: str
) -> None:
    with pytest.raises(AirflowFailException, match="path rendered to an empty value"):
        run_try(GetCallOperator(task_id="a_task", call_id="call_1", path=path), native=native, none=None)
    assert not emulator.requests
    assert not Path("None").exists()


def test_get_of_an_unknown_call_writes_nothing(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match=r"call_none.*422"):
        run_try(GetCallOperator(task_id="a_task", call_id="call_none", path=str(tmp_path / "call.json")))
    assert not list(tmp_path.iterdir())


# -- delete


def delete(**arguments: Any) -> DeleteCallOperator:
    return DeleteCallOperator(task_id="a_task", call_id="call_1", **arguments)


@pytest.mark.parametrize("missing_ok", [True, False])
@pytest.mark.parametrize("fault", [None, Fault.drop(), Fault.drop_after(), Fault.status(500)])
@pytest.mark.usefixtures("no_sleep")
def test_a_call_is_deleted(
    ended: dict[str, Any], emulator: Emulator, fault: Fault | None, missing_ok: bool
) -> None:
    if fault is not None:
        emulator.faults.add(fault, route="delete-call")
    result = run_try(delete(missing_ok=missing_ok))
    assert "call_1" not in emulator.calls
    # After a lost response, only a task that has read the call first knows that its own request deleted it.
    assert result["deleted"] is (missing_ok is False or fault is None or fault.kind != "drop_after")


def test_a_missing_call_is_no_error_by_default(emulator: Emulator) -> None:
    assert run_try(delete()) == {"call_id": "call_1", "deleted": False}


def test_a_missing_call_is_an_error_without_missing_ok(emulator: Emulator) -> None:
    with pytest.raises(AirflowFailException, match="the API key belongs") as error:
        run_try(delete(missing_ok=False))
    assert isinstance(error.value.__cause__, NotFoundError)
    assert emulator.count("delete-call") == 0


@pytest.mark.parametrize("missing_ok", [True, False])
@pytest.mark.parametrize("status", [404, 422])
def test_a_refusal_to_delete_a_call_is_an_error(
    ongoing: dict[str, Any], emulator: Emulator, status: int, missing_ok: bool
) -> None:
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


@pytest.mark.parametrize("missing_ok", [True, False])
def test_an_api_key_that_cannot_read_calls_cannot_confirm_a_missing_call(
    emulator: Emulator, missing_ok: bool
) -> None:
    emulator.faults.add(Fault.status(403), route="get-call", times=0)
    with pytest.raises(AirflowFailException, match="get-call of call call_1.*403"):
        run_try(delete(missing_ok=missing_ok))


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_404_from_another_server_is_an_error(ended: Any, emulator: Emulator, dry_run: bool) -> None:
    emulator.faults.add(Fault.status(404, body="Cannot DELETE /v2"), times=0)
    with pytest.raises(AirflowFailException, match="does not know this endpoint"):
        run_try(delete(dry_run=dry_run))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("given", [True, False, "True", "false"])
def test_missing_ok_may_be_a_template(emulator: Emulator, native: bool, given: Any) -> None:
    operator = delete(missing_ok="{{ params.ok }}")
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
    ended: Any, emulator: Emulator, name: str, given: Any, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=f"{name} {says}"):
        run_try(delete(**{name: "{{ params.flag }}"}), params={"flag": given})
    assert not emulator.requests


def test_a_wrong_api_key_is_an_error(ended: Any, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(401), route="delete-call")
    with pytest.raises(AirflowFailException, match="401"):
        run_try(delete())


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("dry_run", [True, "{{ params.dry_run }}"])
def test_a_dry_run_deletes_nothing(
    ended: Any, emulator: Emulator, native: bool, dry_run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    result = run_try(delete(dry_run=dry_run), native=native, params={"dry_run": True})
    assert result == {"call_id": "call_1", "deleted": False, "would_delete": True, "call_status": "ended"}
    assert "Dry run: would delete call call_1, which is ended" in caplog.text
    assert [request.route for request in emulator.requests] == ["get-call"]
    assert "call_1" in emulator.calls
    assert run_try(delete(dry_run="{{ params.dry_run }}"), params={"dry_run": False})["deleted"] is True


def test_a_dry_run_reports_a_missing_call(emulator: Emulator) -> None:
    assert run_try(delete(dry_run=True)) == {"call_id": "call_1", "deleted": False, "would_delete": False}
    with pytest.raises(AirflowFailException, match="the API key belongs"):
        run_try(delete(dry_run=True, missing_ok=False))


# -- analyze again


def rerun(**arguments: Any) -> RerunCallAnalysisOperator:
    return RerunCallAnalysisOperator(task_id="a_task", call_id="call_1", retries=1, **arguments)


def test_a_call_is_analyzed_again(ended: dict[str, Any], emulator: Emulator) -> None:
    assert run_try(rerun())["call_id"] == "call_1"
    assert emulator.reruns == 1


@pytest.mark.parametrize(
    ("fault", "charged"),
    [
        (Fault.drop(), 0),
        (Fault.drop_after(), 1),
        (Fault.truncate(), 1),
        (Fault.status(500), 0),
        (Fault.garbage(), 0),
        (Fault.hang(), 0),
        (Fault.slow(0.6), 1),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_an_analysis_with_an_unknown_outcome_is_not_requested_again(
    ended: Any, emulator: Emulator, connect: Any, store: Any, fault: Fault, charged: int
) -> None:
    connect(emulator, timeout=0.4)
    emulator.faults.add(fault, route="rerun-call-analysis")
    with pytest.raises(AirflowFailException, match=r"unknown.*so it is not sent again.*on_clear='resend'"):
        run_try(rerun(), store=store)
    with pytest.raises(AirflowFailException, match="may have sent rerun-call-analysis of call call_1"):
        run_try(rerun(), try_number=2, store=store)
    assert emulator.count("rerun-call-analysis") == 1
    eventually(lambda: emulator.reruns == charged)
    run_try(rerun(on_clear="resend"), try_number=3, cleared_at=2, store=store)
    assert emulator.reruns == charged + 1


def test_an_analysis_whose_worker_was_killed_is_not_requested_again(
    ended: Any, emulator: Emulator, store: Any
) -> None:
    killed("acted", lambda: run_try(rerun(), store=store))
    assert emulator.reruns == 1
    with pytest.raises(AirflowFailException, match="may have sent"):
        run_try(rerun(), try_number=2, store=store)
    assert emulator.reruns == 1


@pytest.mark.usefixtures("no_sleep")
def test_a_throttled_analysis_was_not_charged(ended: Any, emulator: Emulator, store: Any) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "1"}), route="rerun-call-analysis", times=3)
    run_try(rerun(), store=store)
    assert emulator.reruns == 1
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="rerun-call-analysis")
    with pytest.raises(AirflowFailException if store is None else RateLimitError):
        run_try(rerun(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert emulator.reruns == 1
