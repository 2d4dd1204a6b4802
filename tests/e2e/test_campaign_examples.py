"""The examples that call the people of a query, and that score ended calls, in a real Airflow."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Emulator, Lifecycle
from sandbox import AIRFLOW_VERSION, ROOT, airflow, sqlite_connection

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.example]

pytest.importorskip("airflow.providers.sqlite")

FROM, ADA, GRACE, EDSGER = "+14155550100", "+14155550101", "+14155550102", "+14155550103"
needs_assets = pytest.mark.skipif(AIRFLOW_VERSION.startswith("2."), reason="Airflow 3 has asset watchers")


def results_of(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return the saved results by customer."""
    with sqlite3.connect(folder / "warehouse.db") as database:
        query = "select customer, outcome, round, call_id, call_successful, cents from campaign_results"
        return {customer: rest for customer, *rest in database.execute(query)}


def test_a_campaign_has_a_result_for_each_person_and_redials_who_was_not_reached(tmp_path: Path) -> None:
    home = AirflowHome(
        tmp_path,
        ROOT / "example_dags",
        AIRFLOW_CONN_WAREHOUSE=sqlite_connection(tmp_path / "warehouse.db"),
        AIRFLOW_VAR_RETELL_FROM_NUMBER=FROM,
        RETELL_REDIAL_MINUTES="0",
    )
    outcomes = {GRACE: "dial_no_answer", EDSGER: "voicemail_reached"}
    # Not with a fast clock: the pause compares the calls with the time of Airflow.
    lifecycle = Lifecycle(answer=0.1, talk=0.2, analyze=0.1)
    with Emulator(lifecycle=lifecycle, outcomes=outcomes) as emulator:
        home.connect(emulator)
        printed = home.test("campaign_from_query", "2026-11-20")
        assert home.code == 0, printed
        # One of the people is skipped.
        assert "XCom not found" not in printed
        dialed = sorted(call["to_number"] for call in emulator.placed)
        assert dialed == [ADA, GRACE, GRACE, GRACE, EDSGER, EDSGER, EDSGER]
        calls = {call["call_id"]: call for call in emulator.placed}
    results = results_of(tmp_path)
    assert {customer: tuple(rest[:2]) for customer, rest in results.items()} == {
        "C-1001": ("reached", 1),
        "C-1002": ("not reached", 3),
        "C-1003": ("not reached", 3),
        "C-1004": ("invalid_number", 1),
    }
    _, _, call_id, successful, cents = results["C-1001"]
    call = calls[call_id]
    assert successful == call["call_analysis"]["call_successful"]
    assert cents == call["call_cost"]["combined_cost"] > 0
    query = "select rendered_map_index from task_instance where task_id = '{}' and map_index >= 0 order by map_index"
    labels = [
        [label for (label,) in home.query(query.format(f"round_{number}.call"))] for number in (1, 2, 3)
    ]
    assert labels == [["C-1001", "C-1002", "C-1003", "C-1004"], *[["C-1002", "C-1003"]] * 2]
    # The warehouse has the phone numbers, and Airflow does not.
    stored = home.tables() | {"the output": printed}
    for number in (ADA, GRACE, EDSGER):
        assert [name for name, text in stored.items() if number in text] in ([], ["dag_code"])


@needs_assets
def test_an_ended_call_is_scored_once_and_nothing_private_is_left_behind(tmp_path: Path) -> None:
    home = AirflowHome(tmp_path, ROOT / "example_dags")
    if AIRFLOW_VERSION.startswith("3.0."):  # later versions register a DAG's assets when it is tested
        home.run(airflow("dags", "reserialize"))
    with Emulator() as emulator:
        call = emulator.add_call(call_id="call_1", call_status="ended", metadata={"customer": "C-1001"})
        emulator.add_call(call_id="call_2", call_status="not_connected", metadata={})
        home.connect(emulator)
        printed = home.test("score_ended_calls", "2026-11-20", call_ids=["call_1", "call_2"])
        assert home.code == 0, printed
        metadata = call["metadata"]
        assert metadata["customer"] == "C-1001"
        assert metadata["score"] == call["transcript"].count("User: ")
        assert emulator.calls["call_2"]["metadata"] == {}
        printed += home.test("score_ended_calls", "2026-11-21", call_ids=["call_1"])
        assert emulator.count("update-call") == 1
    stored = home.tables() | {"the output": printed}
    for private in (call["transcript"].splitlines()[0], metadata["scored_by"]):
        assert [name for name, text in stored.items() if private in text] in ([], ["dag_code"])
