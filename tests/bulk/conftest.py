"""What the tests of bulk updates share: operators run as Airflow runs them, against emulators near and far."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

OUTCOMES = ("updated", "unchanged", "not_found", "not_ended", "invalid", "conflict", "failed")


class Ti:
    """As much of a task instance as the operator uses."""

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value


class Task:
    """A run of the operator: its manifest, its report, and the error that it ended with."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "report.jsonl"
        self.ti = Ti()
        self.error: BaseException | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        return self.ti.xcom["manifest"]

    @property
    def counts(self) -> dict[str, int]:
        """The outcomes that some row had."""
        return {name: self.manifest[name] for name in (*OUTCOMES, "would_update") if self.manifest.get(name)}

    @property
    def report(self) -> list[dict[str, Any]]:
        return sorted(map(json.loads, self.path.read_text().splitlines()), key=lambda line: line["row"])

    def outcome(self, row: int) -> tuple[str, str]:
        line = self.report[row - 1]
        return line["outcome"], line["reason"]

    def check(self, rows: int | None = None) -> None:
        """The counts add up, and the report has each row once and the same counts."""
        manifest = self.manifest
        done = "would_update" if "would_update" in manifest else "updated"
        assert list(manifest) == [
            *(
                "schema_version",
                "rows",
                done,
                *OUTCOMES[1:],
                "requests",
                "seconds",
                "waited_seconds",
                "report",
            )
        ]
        assert sum(manifest[name] for name in (done, *OUTCOMES[1:])) == manifest["rows"]
        report = self.report
        numbers = [line["row"] for line in report]
        assert len(set(numbers)) == len(numbers) == manifest["rows"]
        for name in (done, *OUTCOMES[1:]):
            assert sum(line["outcome"] == name for line in report) == manifest[name], name
        if rows is not None:
            assert numbers == list(range(1, rows + 1))


Run = Callable[..., Task]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Render and execute an operator in a DAG of its own; an error is kept, not raised, if ``fails``."""

    def run(
        *,
        native: bool = False,
        fails: bool = False,
        context: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Task:
        task = Task(tmp_path)
        operator = arguments.pop("operator", None) or BulkUpdateCallOperator(
            task_id="update", **{"report_path": str(task.path), "quota": "100000/1", **arguments}
        )
        dag = DAG(
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
            result = operator.execute(values)
            assert result == task.manifest
        except Exception as error:
            if not fails:
                raise
            task.error = error
        assert fails == (task.error is not None)
        return task

    return run


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define the Airflow connection ``retell_default``."""

    def connect(url: str, api_key: str = "key_emulator", **extra: Any) -> None:
        connection = {"conn_type": "retell", "host": url, "password": api_key, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))

    return connect


@pytest.fixture
def emulator(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator without quotas in this process."""
    with Emulator(quotas=None, custom_attributes=("attr_tier",)) as emulator:
        connect(emulator.url)
        yield emulator


class Far:
    """An emulator in a process of its own, so that it and the task do not share Python's lock."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def add_calls(self, ids: list[str], **fields: Any) -> None:
        self(
            "calls",
            [{"call_id": call_id, "minimal": True, "call_status": "ended", **fields} for call_id in ids],
        )

    def metadata(self) -> dict[str, Any]:
        return {call["call_id"]: call["metadata"] for call in self("calls")}

    def requests(self, route: str | None = None) -> list[dict[str, Any]]:
        return [request for request in self("requests") if route in (None, request["route"])]


@contextlib.contextmanager
def far_emulator(*arguments: str) -> Iterator[Far]:
    """Run the emulator's command line."""
    command = [sys.executable, "-m", "airflow_provider_retell.emulator", "--port", "0", "--quiet", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Far(process.stdout.readline().split(" on ")[1].split()[0])
        finally:
            process.kill()
