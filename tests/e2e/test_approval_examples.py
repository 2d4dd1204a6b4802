"""The examples that ask for approval by phone."""

from __future__ import annotations

import json
import runpy
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from approvals import answer as set_answer
from real_airflow import AirflowHome
from tasks import connect

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle, run_task
from sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_mock import MockerFixture

pytestmark = [pytest.mark.system, pytest.mark.example]

FROM, FIRST, SECOND = "+14155550100", "+14155550123", "+14155550199"


@pytest.mark.parametrize(
    ("answer", "decision", "applied"),
    [({"approved": True}, "approved", "success"), ({"approved": "maybe"}, "rejected", "skipped")],
)
def test_a_change_is_applied_only_after_an_approval_by_phone(
    tmp_path: Path, answer: dict[str, Any], decision: str, applied: str
) -> None:
    home = AirflowHome(
        tmp_path,
        ROOT / "example_dags",
        AIRFLOW_VAR_RETELL_FROM_NUMBER=FROM,
        AIRFLOW_VAR_RETELL_APPROVERS=json.dumps([FIRST, SECOND]),
    )
    outcomes, lifecycle = {FIRST: "dial_no_answer"}, Lifecycle(answer=0.1, talk=0.1, analyze=0.1)
    with Emulator(lifecycle=lifecycle, outcomes=outcomes, custom_analysis={SECOND: answer}) as emulator:
        home.connect(emulator)
        printed = home.test("approve_by_phone")
        assert home.code == 0, printed
        assert [call["to_number"] for call in emulator.placed] == [FIRST, SECOND]
        call_id = emulator.placed[1]["call_id"]
    states = dict(home.query("select task_id, state from task_instance"))
    assert states == {"plan": "success", "approve": "success", "apply_change": applied, "report": "success"}
    [(table,)] = home.query(
        "select name from sqlite_master where name in ('xcom', 'xcom_v2') order by name desc limit 1"
    )
    values = [json.loads(value) for (value,) in home.query(f"select value from {table}")]
    assert decision in values
    (result,) = (value for value in values if isinstance(value, dict) and "decision" in value)
    assert (result["decision"], result["call_id"]) == (decision, call_id)
    assert set(result) == {"decision", "call_id", "answered_at"}
    for number in (FIRST, SECOND):
        assert home.leaks("", number) == []
        # Airflow 3.0 logs its own internal requests here, among them those with Variables.
        assert not [line for line in printed.splitlines() if number in line and "Sending request" not in line]


@pytest.mark.skipif(
    tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 1), reason="needs the ApprovalOperator"
)
@pytest.mark.parametrize(
    ("reply", "analysis", "sent"),
    [
        (True, {}, "Approve"),
        (False, {}, "Reject"),
        (None, {}, "no decision"),
        ("maybe", {}, "no decision"),
        (("ivr_reached",), {"approved": False}, "no decision"),
        (("ivr_reached",), {"approved": True}, "no decision"),
        (("voicemail_reached",), {"approved": True}, "no decision"),
        (("dial_no_answer",), {"approved": True}, "no decision"),
    ],
)
def test_only_a_person_answers_for_the_ui(
    monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture, reply: Any, analysis: dict[str, Any], sent: str
) -> None:
    api = mocker.patch("airflow_provider_retell.hooks.AirflowApi")
    api.return_value.send = mocker.AsyncMock()
    monkeypatch.setenv("AIRFLOW_VAR_RETELL_FROM_NUMBER", FROM)
    monkeypatch.setenv("AIRFLOW_VAR_RETELL_APPROVER", FIRST)
    names = runpy.run_path(str(ROOT / "example_dags/approve_in_ui_or_by_phone.py"))
    dag = names["approve_in_ui_or_by_phone"]()
    with (
        Emulator(clock=Clock(frozen=True), outcomes={}, custom_analysis={FIRST: analysis}) as emulator,
        no_waiting(emulator.clock.advance),
    ):
        connect(monkeypatch, emulator)
        set_answer(emulator, FIRST, reply)
        call = run_task(dag.get_task("call"))
    assert run_task(dag.get_task("answer"), xcoms={"call": call}) == sent
    assert api.return_value.send.await_count == (sent != "no decision")
    call["analysis"]["in_voicemail"] = True
    assert run_task(dag.get_task("answer"), xcoms={"call": call}) == "no decision"
