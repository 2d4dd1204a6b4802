"""The examples, started through the REST API of a complete Airflow."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from stack import VERSION

from airflow_provider_retell.emulator import Emulator
from sandbox import ROOT, SAMPLE_CALLS, connection, sqlite_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(VERSION < (3, 0), reason="Airflow 2 has another REST API")

EXAMPLES = [
    ROOT / "example_dags" / f"{name}.py"
    for name in ("enrich_call_after_pipeline", "bulk_enrich_from_warehouse", "wait_then_update")
]


DAG_RUNS = "/dags/bulk_enrich_from_warehouse/dagRuns"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        for call_id, metadata in SAMPLE_CALLS.items():
            emulator.add_call(call_id=call_id, metadata=dict(metadata))
        emulator.add_call(call_id="call_live", call_status="ongoing", metadata={"kept": 1})
        yield emulator


@pytest.fixture(scope="module")
def stack(
    airflow: Callable[..., AbstractContextManager[Stack]],
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("warehouse")
    sqlite3.connect(folder / "warehouse.db").close()
    environment = {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, emulator.api_key),
        "AIRFLOW_CONN_WAREHOUSE": sqlite_connection(folder / "warehouse.db"),
        "RETELL_REPORTS": str(folder),
    }
    with airflow(EXAMPLES, **environment) as stack:
        stack.start_all()
        yield stack


def go(stack: Stack, dag_id: str, **conf: str) -> str:
    """Unpause and start a DAG, and return the run."""
    run_id = f"{dag_id}_run"
    stack.wait("the DAG is parsed", lambda: stack.rows(f"select 1 from dag where dag_id = '{dag_id}'"))
    stack.api("PATCH", f"/dags/{dag_id}?update_mask=is_paused", is_paused=False)
    stack.run(dag_id, run_id, **conf)
    return run_id


def test_an_update_with_templates(stack: Stack, emulator: Emulator) -> None:
    run_id = go(stack, "enrich_call_after_pipeline")
    assert stack.wait_for_run(run_id) == "success"
    at_risk = emulator.calls["call_5d2e03"]["metadata"]
    assert at_risk["follow_up"] == "gold customer at risk"
    assert (at_risk["customer"], at_risk["language"], at_risk["tier"]) == ("C-1003", "en", "gold")
    assert "customer at risk" not in stack.logs(run_id)


def test_a_bulk_update_from_a_warehouse(stack: Stack, emulator: Emulator) -> None:
    run_id = go(stack, "bulk_enrich_from_warehouse")
    assert stack.wait_for_run(run_id) == "success"
    assert emulator.calls["call_5d2e04"]["metadata"]["customer_segment"] == "new"
    assert emulator.calls["call_5d2e05"]["metadata"] == SAMPLE_CALLS["call_5d2e05"]
    # The schedule may have started another run before. Together, the runs have updated each call once.
    runs = stack.rows("select run_id from dag_run where dag_id = 'bulk_enrich_from_warehouse'")
    done = 0
    for (each,) in runs:
        assert stack.wait_for_run(each) == "success"
        said = stack.api("GET", f"{DAG_RUNS}/{quote(each)}/taskInstances/summarize/xcomEntries/return_value")[
            "value"
        ]
        assert " of 4 calls updated, " in said
        done += int(said.split()[0])
    assert done == 4


def test_a_deferred_wait_and_its_update(stack: Stack, emulator: Emulator) -> None:
    run_id = go(stack, "wait_then_update", call_id="call_live")
    stack.wait("the task is deferred", lambda: "deferred" in stack.states(run_id))
    polled = emulator.count("get-call")
    stack.wait("the triggerer polls", lambda: emulator.count("get-call") > polled)
    assert emulator.count("update-call", status=200) == emulator.count("update-call")
    assert emulator.calls["call_live"]["metadata"] == {"kept": 1}
    call = emulator.calls["call_live"]
    call["end_timestamp"] = int(time.time() * 1000)
    call["call_analysis"] = {"call_summary": "private", "call_successful": True}
    call["call_status"] = "ended"
    assert stack.wait_for_run(run_id) == "success"
    assert call["metadata"] == {
        "kept": 1,
        "tier": "gold",
        "churn_risk": 0.07,
        "churn_risk_at_end_of_call": 0.07,
    }
