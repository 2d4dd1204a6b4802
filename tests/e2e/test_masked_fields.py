"""Templates and callbacks of a real Airflow that read masked fields after the task has run."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Emulator
from sandbox import AIRFLOW_VERSION, ROOT

pytestmark = pytest.mark.system

RENDERED = ("rendered_task_instance_fields", "rtif_v2")  # the table, since Airflow 3.4 the second
NOTE, PHONE = "zebra-umbrella-note", "+14155550187"


@pytest.mark.parametrize("dag_id", ["masked_calls", "masked_calls_native"])
def test_everything_that_airflow_evaluates_after_rendering_gets_masked_text(
    tmp_path: Path, dag_id: str
) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "placing.py").write_text((ROOT / "tests/dags/placing.py").read_text())
    home = AirflowHome(tmp_path, dags, PRIVATE_NOTE=NOTE, PRIVATE_PHONE=PHONE, PRIVATE_BAD_PHONE="")
    with Emulator() as emulator:
        home.connect(emulator)
        output = home.test(dag_id)
        assert home.code == 0, output
        assert [call["metadata"]["customer"] for call in emulator.placed] == [NOTE] * 4
        assert {call["to_number"] for call in emulator.placed} == {PHONE}
    names = home.query("select task_id, state, rendered_map_index from task_instance order by task_id")
    assert names == [
        ("by_dict", "success", "*** *** 0 ***"),
        ("by_dict", "success", "*** *** 0 ***"),
        ("by_template", "success", '*** {"customer": "***"}'),
        ("by_template", "success", '*** {"customer": "***"}'),
        ("customers", "success", None),
    ]
    times = 2 if AIRFLOW_VERSION.startswith("2.") else 1  # Airflow 2 prints each line of a task twice
    assert output.count("CALLBACK ***") == 4 * times
    assert output.count("NOTIFIER *** ***") == 2 * times
    assert output.count("HOOK ***") == 4 * times
    tables = home.query("select name from sqlite_master where name in (?, ?)", *RENDERED)
    shown = home.query(f"select rendered_fields from {tables[0][0]}")
    assert shown
    assert not [private for private in (NOTE, PHONE) if private in f"{shown} {names} {output}"]
