"""Reading, changing, stopping, analyzing and deleting calls, against the emulator."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from airflow.serialization.helpers import serialize_template_field

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import (
    CallNotEndedError,
    NotFoundError,
    RateLimitError,
    RetellResponseError,
    UnprocessableError,
)
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks import requests_transport
from airflow_provider_retell.operators.call import (
    DeleteCallOperator,
    GetCallOperator,
    RerunCallAnalysisOperator,
)
from airflow_provider_retell.operators.live_call import StopCallOperator, UpdateLiveCallOperator

NOTE = "Ada's private note"


def live(**arguments: Any) -> UpdateLiveCallOperator:
    return UpdateLiveCallOperator(task_id="a_task", **{"call_id": "call_1", **arguments})


@pytest.fixture
def ongoing(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(call_id="call_1", call_status="ongoing", metadata={"old": 1})


@pytest.fixture
def ended(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(
        call_id="call_1", call_type="web_call", call_status="ended", metadata={"note": NOTE}
    )


# -- get


def test_get_returns_the_slim_form(ended: dict[str, Any], run_try: Any) -> None:
    result = run_try(GetCallOperator(task_id="a_task", call_id="{{ which }}"), which="call_1")
    assert (result["call_id"], result["call_status"], result["metadata_keys"]) == (
        "call_1",
        "ended",
        ["note"],
    )
    for private in (NOTE, ended["transcript"], ended["recording_url"], ended["access_token"]):
        assert private not in str(result)


def test_get_writes_the_whole_call_without_its_token(
    ended: dict[str, Any], run_try: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
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


@pytest.mark.parametrize("native", [False, True])
def test_get_with_a_path_that_renders_to_nothing_reads_nothing(
    ended: dict[str, Any], emulator: Emulator, run_try: Any, native: bool
) -> None:
    with pytest.raises(AirflowFailException, match="path rendered to nothing"):
        run_try(
            GetCallOperator(task_id="a_task", call_id="call_1", path="{{ none }}"), native=native, none=None
        )
    assert not emulator.requests
    assert not Path("None").exists()


def test_get_of_a_call_that_is_not_there_writes_nothing(
    emulator: Emulator, run_try: Any, tmp_path: Path
) -> None:
    with pytest.raises(AirflowFailException, match=r"call_none.*422"):
        run_try(GetCallOperator(task_id="a_task", call_id="call_none", path=str(tmp_path / "call.json")))
    assert not list(tmp_path.iterdir())


# -- update live


@pytest.mark.parametrize("native", [False, True])
def test_a_live_call_is_changed_and_nothing_private_is_shown(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any, native: bool, caplog: pytest.LogCaptureFixture
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
    shown = [serialize_template_field(getattr(operator, name), name) for name in operator.template_fields]
    assert NOTE not in f"{shown} {caplog.text}"
    assert "4711" not in f"{shown} {caplog.text}"


def test_what_is_not_given_is_not_sent(ongoing: dict[str, Any], emulator: Emulator, run_try: Any) -> None:
    run_try(live(metadata={"new": 1}, data_storage_setting="{{ none }}"), none=None)
    assert emulator.requests[0].body == {"fields_to_override": {"metadata": {"new": 1}}}


def test_variables_are_cleared(ongoing: dict[str, Any], emulator: Emulator, run_try: Any) -> None:
    run_try(live(clear_dynamic_variables=True))
    assert emulator.requests[0].body == {"fields_to_override": {"override_dynamic_variables": None}}
    with pytest.raises(ValueError, match="not both"):
        live(clear_dynamic_variables=True, override_dynamic_variables={"a": "b"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"trigger_response": False}, "give something to change"),
        ({"trigger_response": False, "metadata": {}}, r"metadata is empty.*clear_metadata=True"),
        ({"metadata": "{{ facts }}"}, r"metadata is empty.*clear_metadata=True"),
        ({"override_dynamic_variables": {}}, r"variables is empty.*clear_dynamic_variables=True"),
    ],
)
def test_what_changes_nothing_or_all_by_mistake_is_refused(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any, arguments: Any, says: str
) -> None:
    with pytest.raises(AirflowFailException, match=says):
        run_try(live(**arguments), facts={})
    assert not emulator.requests
    assert ongoing["metadata"] == {"old": 1}


def test_metadata_of_a_live_call_is_cleared_on_purpose(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any
) -> None:
    run_try(live(clear_metadata=True, additional_context="Hi", trigger_response=False))
    assert emulator.requests[0].body == {
        "fields_to_override": {"metadata": {}},
        "call_control": {"additional_context": "Hi"},
    }
    assert emulator.calls["call_1"]["metadata"] == {}
    with pytest.raises(ValueError, match="not both"):
        live(clear_metadata=True, metadata={"a": 1})


@pytest.mark.parametrize("name", ["clear_dynamic_variables", "clear_metadata", "trigger_response"])
def test_flags_are_no_text(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is True or False"):
        live(**{name: "False"})


@pytest.mark.parametrize("arguments", [{"additional_context": "Hi"}, {"trigger_response": True}])
def test_what_the_agent_is_told_is_told_once(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any, arguments: Any
) -> None:
    emulator.faults.add(Fault.drop_after(), route="update-live-call")
    with pytest.raises(
        AirflowFailException, match="update-live-call of call call_1.*unknown.*not told again"
    ):
        run_try(live(**arguments))
    assert emulator.count("update-live-call") == 1


@pytest.mark.parametrize("arguments", [{"additional_context": "Hi"}, {"trigger_response": True}])
def test_an_agent_that_was_certainly_not_told_may_be_told_by_a_retry(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any, arguments: Any
) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="update-live-call")
    with pytest.raises(RateLimitError):
        run_try(live(**arguments))


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", ["metadata", "override_dynamic_variables", "additional_context"])
def test_a_template_without_a_value_changes_nothing_of_a_live_call(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any, name: str, native: bool
) -> None:
    with pytest.raises(AirflowFailException, match=f"{name} rendered to nothing"):
        run_try(live(trigger_response=True, **{name: "{{ none }}"}), native=native, none=None)
    assert not emulator.requests


def test_metadata_of_a_live_call_is_safe_to_repeat(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any
) -> None:
    emulator.faults.add(Fault.drop_after(), route="update-live-call")
    run_try(live(metadata={"new": 1}))
    assert emulator.calls["call_1"]["metadata"] == {"new": 1}


def test_a_call_that_is_over_is_not_changed(ended: dict[str, Any], run_try: Any) -> None:
    with pytest.raises(AirflowFailException, match="update-live-call of call call_1"):
        run_try(live(metadata={"new": 1}))


def test_no_success_is_an_error(ongoing: dict[str, Any], emulator: Emulator, run_try: Any) -> None:
    emulator.faults.add(Fault.status(200, body={"success": False}), route="update-live-call")
    with pytest.raises(RetellResponseError, match="no success"):
        run_try(live(metadata={"new": 1}))


# -- stop


def stop() -> StopCallOperator:
    return StopCallOperator(task_id="a_task", call_id="call_1")


@pytest.mark.parametrize("status", ["registered", "ongoing"])
def test_a_call_is_stopped(emulator: Emulator, run_try: Any, status: str) -> None:
    emulator.add_call(call_id="call_1", call_status=status)
    assert run_try(stop()) == {"call_id": "call_1", "stopped": True}
    assert emulator.calls["call_1"]["disconnection_reason"] == "manual_stopped"


def test_a_call_that_is_over_is_left_alone(ended: dict[str, Any], emulator: Emulator, run_try: Any) -> None:
    assert run_try(stop()) == {"call_id": "call_1", "stopped": False}
    assert emulator.count("stop-call") == 0


def test_a_call_that_ends_between_looking_and_stopping(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any
) -> None:
    emulator.faults.add(Fault.drop_after(), route="stop-call")  # stopped, and the repeat is refused
    assert run_try(stop()) == {"call_id": "call_1", "stopped": False}
    assert emulator.count("stop-call") == 2


def test_a_refusal_to_stop_a_live_call_is_an_error(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any
) -> None:
    emulator.faults.add(Fault.status(400), route="stop-call")
    with pytest.raises(AirflowFailException, match="stop-call of call call_1"):
        run_try(stop())


# -- delete


def delete(**arguments: Any) -> DeleteCallOperator:
    return DeleteCallOperator(task_id="a_task", call_id="call_1", **arguments)


@pytest.mark.parametrize("missing_ok", [True, False])
@pytest.mark.parametrize("fault", [None, Fault.drop(), Fault.drop_after(), Fault.status(500)])
def test_a_call_is_deleted(
    ended: dict[str, Any], emulator: Emulator, run_try: Any, fault: Fault | None, missing_ok: bool
) -> None:
    if fault is not None:
        emulator.faults.add(fault, route="delete-call")
    result = run_try(delete(missing_ok=missing_ok))
    assert "call_1" not in emulator.calls
    # Of a repeat behind a lost answer, only the one who looked first can say whose deletion it was.
    assert result["deleted"] is (missing_ok is False or fault is None or fault.kind != "drop_after")


def test_a_call_that_is_gone_counts_as_done(emulator: Emulator, run_try: Any) -> None:
    assert run_try(delete()) == {"call_id": "call_1", "deleted": False}


def test_unless_it_must_be_there(emulator: Emulator, run_try: Any) -> None:
    with pytest.raises(AirflowFailException, match="the API key belongs") as error:
        run_try(delete(missing_ok=False))
    assert isinstance(error.value.__cause__, NotFoundError)
    assert emulator.count("delete-call") == 0


@pytest.mark.parametrize("missing_ok", [True, False])
@pytest.mark.parametrize("status", [404, 422])
def test_a_refusal_to_delete_is_no_call_that_is_gone(
    ongoing: dict[str, Any], emulator: Emulator, run_try: Any, status: int, missing_ok: bool
) -> None:
    refusal = {"status": "error", "message": "Cannot delete an ongoing call"}
    emulator.faults.add(Fault.status(status, body=refusal), route="delete-call", times=0)
    with pytest.raises(
        CallNotEndedError, match=rf"call_1 is ongoing.*{status}: Cannot delete an ongoing call.*CallSensor"
    ):
        run_try(delete(missing_ok=missing_ok))
    emulator.calls["call_1"]["call_status"] = "ended"
    with pytest.raises(AirflowFailException, match=rf"call_1 is still there.*{status}") as error:
        run_try(delete(missing_ok=missing_ok))
    assert isinstance(error.value.__cause__, UnprocessableError)
    assert "call_1" in emulator.calls


@pytest.mark.parametrize("missing_ok", [True, False])
def test_who_cannot_look_cannot_say_that_a_call_is_gone(
    emulator: Emulator, run_try: Any, missing_ok: bool
) -> None:
    emulator.faults.add(Fault.status(403), route="get-call", times=0)
    with pytest.raises(AirflowFailException, match="get-call of call call_1.*403"):
        run_try(delete(missing_ok=missing_ok))


def test_another_server_has_no_call_that_is_gone(ended: Any, emulator: Emulator, run_try: Any) -> None:
    emulator.faults.add(Fault.status(404, body="Cannot DELETE /v2"), times=0)
    with pytest.raises(AirflowFailException, match="does not know this endpoint"):
        run_try(delete())


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("given", [True, False, "True", "false"])
def test_whether_it_must_be_there_may_be_a_template(
    emulator: Emulator, run_try: Any, native: bool, given: Any
) -> None:
    operator = delete(missing_ok="{{ params.ok }}")
    if given in (True, "True"):
        assert run_try(operator, native=native, params={"ok": given})["deleted"] is False
        return
    with pytest.raises(AirflowFailException, match="the API key belongs"):
        run_try(operator, native=native, params={"ok": given})


@pytest.mark.parametrize("given", [None, "", "yes", 2])
def test_what_is_neither_true_nor_false_deletes_nothing(
    ended: Any, emulator: Emulator, run_try: Any, given: Any
) -> None:
    with pytest.raises(AirflowFailException, match="missing_ok must be True or False"):
        run_try(delete(missing_ok="{{ params.ok }}"), params={"ok": given})
    assert not emulator.requests


def test_a_key_that_is_wrong_is_no_call_that_is_gone(ended: Any, emulator: Emulator, run_try: Any) -> None:
    emulator.faults.add(Fault.status(401), route="delete-call")
    with pytest.raises(AirflowFailException, match="401"):
        run_try(delete())


# -- analyze again


def rerun(**arguments: Any) -> RerunCallAnalysisOperator:
    return RerunCallAnalysisOperator(task_id="a_task", call_id="call_1", retries=1, **arguments)


def test_a_call_is_analyzed_again(ended: dict[str, Any], emulator: Emulator, run_try: Any) -> None:
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
def test_an_analysis_is_never_charged_twice(
    ended: Any,
    emulator: Emulator,
    connect: Any,
    run_try: Any,
    store: Any,
    eventually: Any,
    fault: Fault,
    charged: int,
) -> None:
    connect(emulator, timeout=0.4)
    emulator.faults.add(fault, route="rerun-call-analysis")
    with pytest.raises(AirflowFailException, match=r"unknown, so it is not sent again.*on_clear='resend'"):
        run_try(rerun(), store=store)
    with pytest.raises(AirflowFailException, match="may have sent rerun-call-analysis of call call_1"):
        run_try(rerun(), try_number=2, store=store)
    assert emulator.count("rerun-call-analysis") == 1
    eventually(lambda: emulator.reruns == charged)
    run_try(rerun(on_clear="resend"), try_number=3, cleared_at=2, store=store)
    assert emulator.reruns == charged + 1


def test_nor_if_the_worker_is_killed(ended: Any, emulator: Emulator, run_try: Any, store: Any) -> None:
    pid = os.fork()
    if pid == 0:
        real = requests_transport.exchange

        def acted_and_died(*arguments: Any) -> None:
            real(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        requests_transport.exchange = acted_and_died  # type: ignore[assignment]
        try:
            run_try(rerun(), store=store)
        finally:
            os._exit(3)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    assert emulator.reruns == 1
    with pytest.raises(AirflowFailException, match="may have sent"):
        run_try(rerun(), try_number=2, store=store)
    assert emulator.reruns == 1


def test_throttling_and_refusals_were_not_charged(
    ended: Any, emulator: Emulator, run_try: Any, store: Any
) -> None:
    emulator.faults.add(
        Fault.status(429, headers={"Retry-After": "0.1"}), route="rerun-call-analysis", times=3
    )
    run_try(rerun(), store=store)
    assert emulator.reruns == 1
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="rerun-call-analysis")
    with pytest.raises(AirflowFailException if store is None else RateLimitError):
        run_try(rerun(on_clear="resend"), try_number=2, cleared_at=1, store=store)
    assert emulator.reruns == 1
