"""Run operators and sensors as Airflow runs them: rendered, with a task instance, try after try."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.serialization.helpers import serialize_template_field

try:
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import TaskDeferred
except ImportError:  # 2.11
    from airflow.exceptions import TaskDeferred
    from airflow.models.dag import DAG

try:
    from airflow.sdk.execution_time.context import NEVER_EXPIRE

    HAS_STATE_STORE = True
except ImportError:  # before 3.3
    NEVER_EXPIRE, HAS_STATE_STORE = None, False

from airflow_provider_retell.emulator import FakeTaskInstance, fake_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from airflow_provider_retell.emulator import Emulator

__all__ = [
    "DAG",
    "HAS_STATE_STORE",
    "StateStore",
    "TaskDeferred",
    "Ti",
    "connect",
    "continuation",
    "defer",
    "event_of",
    "eventually",
    "json_lines",
    "rendered_fields",
    "restored",
    "run_deferred",
    "run_task",
    "run_try",
]


class Ti(FakeTaskInstance):
    """A task instance that can have a region, and knows when it was first rescheduled."""

    def __init__(self, try_number: int = 1, max_tries: int = 0, map_index: int = -1) -> None:
        super().__init__(
            run_id="manual__2026-11-22", try_number=try_number, max_tries=max_tries, map_index=map_index
        )
        self.started = self.start_date

    def in_region(self, region_id: Any, region_index: int = -1) -> Ti:
        """Give the task instance a region, as Airflow 3.4 does."""
        self.region_id, self.region_index = region_id, region_index
        return self

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        return self.started


class StateStore:
    """A ``task_state_store`` in a file, which outlives a killed process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get(self, key: str, default: Any = None) -> Any:
        return self.all().get(key, default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        assert value is not None
        # With the default of 30 days, a later clear would send the request again.
        assert retention is NEVER_EXPIRE
        self.path.write_text(json.dumps({**self.all(), key: value}))

    def clear(self) -> None:
        self.path.write_text("{}")


def connect(
    monkeypatch: pytest.MonkeyPatch,
    server: Emulator | str,
    *,
    api_key: str = "key_emulator",
    conn_id: str = "retell_default",
    **extra: Any,
) -> None:
    """Define the Airflow connection *conn_id* to an emulator or a URL, with extras as keywords."""
    url, key = (server, api_key) if isinstance(server, str) else (server.url, server.api_key)
    connection = {"conn_type": "retell", "host": url, "password": key, "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))


def run_task(
    task: Any,
    *,
    native: bool = False,
    ti: Any = None,
    method: str = "execute",
    kwargs: dict[str, Any] | None = None,
    **context: Any,
) -> Any:
    """Render and execute *task* in a DAG of its own.

    :param native: the DAG's ``render_template_as_native_obj``.
    :param method: the method to run, of a deferred task with *kwargs*.
    :param context: more variables for templates.
    """
    values = fake_context(task, ti or Ti(), logical_date=None, native=native, **context)
    task.render_template_fields(values, task.dag.get_template_env())
    if method == "execute":
        return task.execute(values)
    return task.resume_execution(method, kwargs or {}, values)


def run_try(
    task: Any,
    *,
    try_number: int = 1,
    cleared_at: int = 0,
    map_index: int = -1,
    store: StateStore | None = None,
    iteration: int | None = None,
    region: Any = None,
    **options: Any,
) -> Any:
    """Run *task* as one of its tries.

    :param cleared_at: the number of tries before a user cleared the task.
    :param iteration: the number of the iteration of a task loop.
    :param region: the region of the task instance; only Airflow 3.4 has one.
    """
    if store is not None:
        options["task_state_store"] = store
    if iteration is not None:
        options["loop"] = SimpleNamespace(index=iteration)
    ti = Ti(try_number, cleared_at + task.retries, map_index)
    if region is not None:
        ti.in_region(region, map_index if iteration is None else iteration)
    options.setdefault("ti", ti)
    return run_task(task, **options)


def defer(task: Any, **options: Any) -> TaskDeferred:
    """Run *task* until it defers."""
    with pytest.raises(TaskDeferred) as deferred:
        run_try(task, **options)
    return deferred.value


def restored(trigger: Any) -> Any:
    """Return *trigger* as another triggerer restores it from the database."""
    path, arguments = trigger.serialize()
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)(**json.loads(json.dumps(arguments)))


def event_of(trigger: Any, timeout: float = 20) -> dict[str, Any]:
    """Run *trigger* and return the payload of its only event."""

    async def run() -> dict[str, Any]:
        [event] = [event async for event in trigger.run()]
        return event.payload

    return asyncio.run(asyncio.wait_for(run(), timeout))


def run_deferred(
    make: Callable[[], Any],
    *,
    by_event: bool = False,
    step: dict[str, Any] | None = None,
    on_deferral: Callable[[TaskDeferred], object] = lambda _: None,
    **options: Any,
) -> Any:
    """Run a deferrable task to its end, with a new operator after each deferral, as Airflow does.

    :param make: returns the operator.
    :param by_event: True to pass only the event, as ``airflow dags test`` does.
    :param step: ``method`` and ``kwargs`` of the deferral to continue from. Default: run the task from its start.
    :param on_deferral: called while the task is deferred.
    """
    step = step or {}
    while True:
        try:
            return run_try(make(), **step, **options)
        except TaskDeferred as deferred:
            on_deferral(deferred)
            step = continuation(deferred, by_event=by_event)


def continuation(deferred: TaskDeferred, *, by_event: bool = False) -> dict[str, Any]:
    """Run the trigger, and return ``method`` and ``kwargs`` of the rest of the task, as Airflow's database has them."""
    event = event_of(restored(deferred.trigger))
    assert "analysis" not in event  # Airflow's database would have it
    kwargs = {} if by_event else deferred.kwargs or {}
    return {"method": deferred.method_name, "kwargs": json.loads(json.dumps({**kwargs, "event": event}))}


def rendered_fields(task: Any) -> dict[str, Any]:
    """Return the rendered template fields as Airflow stores and shows them."""
    return {name: serialize_template_field(getattr(task, name), name) for name in task.template_fields}


def json_lines(path: Path) -> list[Any]:
    """Return the values of a file with a JSON value per line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def eventually(condition: Callable[[], bool], timeout: float = 20) -> None:
    """Wait until *condition* holds, for example in an emulator's thread."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
