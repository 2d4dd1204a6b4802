"""ImportContactsOperator: comparison, the import, and the guards for do-not-call marks."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tasks import Ti, run_task

from airflow_provider_retell.operators import ImportContactsOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

pytestmark = pytest.mark.usefixtures("no_sleep")


def phone(n: int) -> str:
    return f"+1415{5550000 + n}"


def run(tmp_path: Path, ti: Ti | None = None, **arguments: Any) -> tuple[dict[str, Any], list[Any], Any]:
    """Return the manifest, the report, and the error or None."""
    path, ti, error = tmp_path / "report.jsonl", ti or Ti(), None
    task = ImportContactsOperator(
        task_id="a_task", **{"report_path": str(path), "quota": "100000/1", **arguments}
    )
    try:
        run_task(task, ti=ti)
    except Exception as caught:
        error = caught
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return ti.xcom.get("manifest", {}), sorted(lines, key=lambda line: (line["try"], line["row"])), error


def counts(manifest: dict[str, Any]) -> dict[str, int]:
    names = ("created", "updated", "unchanged", "not_found", "invalid", "failed", "would_create", "would_update")
    return {name: manifest[name] for name in names if manifest.get(name)}


def test_rows_that_differ_are_imported(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_contacts(map(phone, range(100)), first_name="Ada", custom_fields={"plan": "gold"})
    rows = [{"phone_number": phone(n), "first_name": "Ada", "plan": "gold"} for n in range(90)]
    rows += [{"phone_number": phone(n), "first_name": "Bo", "plan": None} for n in range(90, 120)]
    manifest, lines, error = run(tmp_path, rows=rows, columns=["first_name", "plan"])
    assert error is None
    assert counts(manifest) == {"created": 20, "updated": 10, "unchanged": 90}
    print(manifest, lines[-1])
