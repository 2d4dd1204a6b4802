"""The example that asks for approval by phone, in a real Airflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Emulator, Lifecycle
from sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path

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
        assert not [name for name, content in home.files().items() if number.encode() in content]
        # Airflow 3.0 logs its own internal requests here, among them those with Variables.
        assert not [line for line in printed.splitlines() if number in line and "Sending request" not in line]
