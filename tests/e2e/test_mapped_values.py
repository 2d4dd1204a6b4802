"""Values out of XCom in the mapped tasks of a real Airflow: they are data, and never templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Emulator
from sandbox import AIRFLOW_VERSION, ROOT, airflow

pytestmark = pytest.mark.system

EVIL = "{{ 7*7 }}{{ conn.retell_default.password }}"
TEXTS = {"note": EVIL, "discount": "50 {% off", "greeting": "{{first_name}}", "comment": "{# hidden #}"}
NESTED: dict[str, Any] = {**TEXTS, "list": [EVIL, {"deep": [EVIL]}], "dict": {"a": {"b": EVIL}}}
DAY = {"day": "Monday"}

# The metadata of each call after the run.
METADATA = {
    "call_1": NESTED,
    "call_2": NESTED,
    "call_map": {"mapped": NESTED},
    "call_a": NESTED,
    "call_b": NESTED,
    "call_z": {"zipped": NESTED},
    "call_l": NESTED,
    "call_e": NESTED,
    "call_p": NESTED,
    "call_Monday": {"parts": NESTED, **DAY},
    "call_t": DAY,
    "call_literal": DAY,
    "call_g": NESTED,
    "call_bulk": NESTED,
}


def test_only_templates_of_the_dag_file_are_rendered(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "mapped_values.py").write_text((ROOT / "tests/dags/mapped_values.py").read_text())
    home = AirflowHome(tmp_path, dags)
    with Emulator(api_key="key_very_secret") as emulator:
        for call_id in METADATA:
            emulator.add_call(call_id=call_id, call_status="ended", metadata={})
        home.connect(emulator)
        if AIRFLOW_VERSION.startswith("2."):
            home.run(airflow("dags", "reserialize"))  # later versions register the alias in `dags test`
        output = home.test("mapped_values")
        assert home.code == 0, output
        assert {call_id: emulator.calls[call_id]["metadata"] for call_id in METADATA} == METADATA
        assert len(emulator.placed) == 2
        for call in emulator.placed:
            assert {name: call["metadata"][name] for name in NESTED} == NESTED
        sent = {request.route: request.body for request in emulator.requests}
        assert sent["create-phone-call"]["retell_llm_dynamic_variables"] == TEXTS
        assert sent["create-batch-call"]["name"] == EVIL
        assert "very_secret" not in str([request.body for request in emulator.requests])
    kind = "dataset" if AIRFLOW_VERSION.startswith("2.") else "asset"
    [[extra]] = home.query(f"select extra from {kind}_event")
    assert '"updated": 1' in extra
    states = home.query("select distinct state from task_instance")
    assert states == [("success",)], output
