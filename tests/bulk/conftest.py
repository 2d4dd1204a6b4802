"""Fixtures of the tests of bulk updates."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import tasks
from connected import connect
from memory_storage import memory, private_memory

from airflow_provider_retell.clock import FastClock, no_waiting
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators import BulkUpdateCallOperator

__all__ = ["Task", "connect", "emulator", "memory", "no_sleep", "private_memory", "run", "warehouse"]

RUNS = itertools.count()
OUTCOMES = ("updated", "unchanged", "not_found", "not_ended", "invalid", "conflict", "failed")


class Task:
    """A run of the operator in a DAG run of its own: its manifest, its report, and its error."""

    def __init__(self, folder: Path, ti: tasks.Ti | None = None) -> None:
        self.path = folder / "report.jsonl"
        self.ti = ti or tasks.Ti()
        if ti is None:
            self.ti.run_id = f"manual__{next(RUNS)}"
        self.error: BaseException | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        return self.ti.xcom["manifest"]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by outcome, without zeros."""
        return {name: self.manifest[name] for name in (*OUTCOMES, "would_update") if self.manifest.get(name)}

    @property
    def report(self) -> list[dict[str, Any]]:
        return sorted(map(json.loads, self.path.read_text().splitlines()), key=lambda line: line["row"])

    def outcome(self, row: int) -> tuple[str, str]:
        line = self.report[row - 1]
        return line["outcome"], line["reason"]

    def check(self, rows: int | None = None) -> None:
        """Check that the counts add up, and that the report has each row once and the same counts."""
        manifest = self.manifest
        outcomes = (*OUTCOMES, "would_update") if "would_update" in manifest else OUTCOMES
        others = ("failed_rows", "requests", "seconds", "waited_seconds", "report", "task_run")
        assert list(manifest) == ["schema_version", "rows", "complete", *outcomes, *others]
        assert sum(manifest[name] for name in outcomes) == manifest["rows"]
        report = self.report
        numbers = [line["row"] for line in report]
        assert len(set(numbers)) == len(numbers) == manifest["rows"]
        for name in outcomes:
            assert sum(line["outcome"] == name for line in report) == manifest[name], name
        if rows is not None:
            assert numbers == list(range(1, rows + 1))
        assert manifest["waited_seconds"] <= manifest["seconds"]
        assert manifest["task_run"].items() >= {"rows": manifest["rows"], "tries": 1}.items()
        assert all(manifest["task_run"][name] == manifest[name] for name in outcomes)


Run = Callable[..., Task]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Render and execute an operator in a DAG of its own. With ``fails``, its error is returned, not raised."""

    def run(
        *,
        native: bool = False,
        fails: bool = False,
        context: Mapping[str, Any] | None = None,
        ti: tasks.Ti | None = None,
        **arguments: Any,
    ) -> Task:
        task = Task(tmp_path, ti)
        operator = BulkUpdateCallOperator(
            task_id="update", **{"report_path": str(task.path), "quota": "100000/1", **arguments}
        )
        dag = tasks.DAG(
            "a_dag",
            schedule=None,
            start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
            template_searchpath=str(tmp_path),
        )
        dag.render_template_as_native_obj = native
        operator.dag = dag
        values = {"ti": task.ti, "dag": dag, "task": operator, "params": {}, **(context or {})}
        operator.render_template_fields(values, dag.get_template_env())
        try:
            assert operator.execute(values) is None
        except Exception as error:
            if not fails:
                raise
            task.error = error
        assert fails == (task.error is not None)
        return task

    return run


@pytest.fixture
def emulator(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator without quotas."""
    with Emulator(quotas=None, custom_attributes=("attr_tier",)) as emulator:
        connect(emulator)
        yield emulator


@pytest.fixture
def no_sleep() -> Iterator[FastClock]:
    """Back-off and pauses advance the clock instead of sleeping."""
    with no_waiting() as fast:
        yield fast


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A SQLite database with an empty table, and the connection ``warehouse`` to it."""
    pytest.importorskip("airflow.providers.sqlite")
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("create table facts (id text, day text, tier text, ltv real)")
        yield database
