"""Operators run as Airflow runs them: rendered, with a task instance, try after try."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

try:
    from airflow.sdk.execution_time.context import NEVER_EXPIRE

    HAS_STORE = True
except ImportError:
    NEVER_EXPIRE, HAS_STORE = None, False


class Ti:
    """As much of a task instance as the operators use."""

    def __init__(self, try_number: int, max_tries: int, map_index: int) -> None:
        self.dag_id, self.run_id, self.task_id = "a_dag", "manual__2026-11-22", "a_task"
        self.try_number, self.max_tries, self.map_index = try_number, max_tries, map_index
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value


class Store:
    """A stand-in for ``task_state_store`` that outlives a process that is killed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _all(self) -> dict[str, Any]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def get(self, key: str, default: Any = None) -> Any:
        return self._all().get(key, default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        assert value is not None
        assert retention is NEVER_EXPIRE  # the default of 30 days would let a clear after that dial again
        self._path.write_text(json.dumps({**self._all(), key: value}))

    def delete(self, key: str) -> None:
        self._path.write_text(json.dumps({name: value for name, value in self._all().items() if name != key}))


RunTry = Callable[..., Any]


@pytest.fixture
def run_try() -> RunTry:
    """Render and execute an operator as one try of a task; ``cleared_at`` is the last try before a clear."""

    def run_try(
        operator: Any,
        *,
        native: bool = False,
        try_number: int = 1,
        cleared_at: int = 0,
        map_index: int = -1,
        store: Store | None = None,
        **context: Any,
    ) -> Any:
        dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
        dag.render_template_as_native_obj = native
        operator.dag = dag
        ti = Ti(try_number, cleared_at + operator.retries, map_index)
        values = {"ti": ti, "dag": dag, "task": operator, "params": {}, **context}
        if store is not None:
            values["task_state_store"] = store
        operator.render_template_fields(values, dag.get_template_env())
        return operator.execute(values)

    return run_try


@pytest.fixture(
    params=[False, True] if HAS_STORE else [False], ids=lambda has: "store" if has else "no-store"
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store | None:
    """The task's state store of Airflow 3.3, and none, as before."""
    return Store(tmp_path / "store.json") if request.param else None


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait for what the emulator does on its own, up to 20 s."""

    def eventually(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return eventually


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define ``retell_default``; extras as keywords."""

    def connect(emulator: Emulator, **extra: Any) -> None:
        connection = {
            "conn_type": "retell",
            "host": emulator.url,
            "password": emulator.api_key,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))

    return connect


@pytest.fixture
def emulator(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator whose time the test moves."""
    with Emulator(clock=Clock(frozen=True)) as emulator:
        connect(emulator)
        yield emulator
