"""Run one operator or sensor in a test, without a scheduler or a database."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

# In UTC, because Airflow's times are.
_DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


class FakeTaskInstance:
    """The parts of Airflow's task instance that this package's operators and sensors use.

    :param task_id: the id of the task. It is part of the key that keeps a task from calling a person twice.
        Default: the id of the task that runs.
    :param dag_id: the id of the DAG, which is part of that key too. Default: that of the task that runs.
    :param run_id: the id of the DAG run.
    :param try_number: the number of this try, from 1.
    :param max_tries: the number of the last try that may be retried: ``retries``, unless the task was cleared.
    :param map_index: the index of a mapped task, or -1.
    :param xcoms: the return values of other tasks by task id, for ``ti.xcom_pull(task_ids=...)`` and ``task.output``.
    :ivar xcom: the values that the task has pushed, by key.
    """

    def __init__(
        self,
        task_id: str | None = None,
        *,
        dag_id: str | None = None,
        run_id: str = "manual__2026-01-01",
        try_number: int = 1,
        max_tries: int = 0,
        map_index: int = -1,
        xcoms: dict[str, Any] | None = None,
    ) -> None:
        self._given = (task_id, dag_id)
        self.dag_id, self.run_id, self.task_id = dag_id or "a_dag", run_id, task_id or "a_task"
        self.try_number, self.max_tries, self.map_index = try_number, max_tries, map_index
        self.start_date = datetime.now(timezone.utc)
        self.xcom: dict[str, Any] = {}
        self.task: Any = None
        self._xcoms = xcoms or {}

    def _belong_to(self, task: Any) -> None:
        """Belong to *task*, which must have a DAG."""
        task_id, dag_id = self._given
        self.task, self.task_id, self.dag_id = task, task_id or task.task_id, dag_id or task.dag.dag_id

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep a value in :attr:`xcom`. Airflow's XComs are JSON, so other values are errors."""
        json.dumps(value)
        self.xcom[key] = value

    def xcom_pull(
        self, task_ids: Any = None, key: str = "return_value", default: Any = None, **_: Any
    ) -> Any:
        """Return the value of another task, or a list if *task_ids* is a list. Without *task_ids*, return own values.

        A key other than ``return_value`` selects an item of the other task's value.
        """
        if task_ids is None or task_ids == self.task_id:
            return self.xcom.get(key, default)
        if not isinstance(task_ids, str):
            return [self.xcom_pull(task_id, key, default) for task_id in task_ids]
        value = self._xcoms.get(task_ids, default)
        return value if key == "return_value" or not isinstance(value, dict) else value.get(key, default)

    def get_relevant_upstream_map_indexes(self, *_: Any, **__: Any) -> None:
        """Return None: the other tasks are not mapped. Airflow 2 asks for it."""

    def get_first_reschedule_date(self, _context: Any) -> datetime | None:
        """Return None: a fake task is never rescheduled."""
        return None


class _Variables:
    """Airflow's Variables in templates: those of the environment, ``AIRFLOW_VAR_...``."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def __getattr__(self, name: str) -> Any:
        try:
            text = os.environ[f"AIRFLOW_VAR_{name.upper()}"]
        except KeyError:
            raise AttributeError(name) from None
        return json.loads(text) if self._as_json else text

    def get(self, name: str, default: Any = None) -> Any:
        """Return a Variable, or *default*."""
        return getattr(self, name, default)


def fake_context(
    task: Any,
    ti: Any = None,
    *,
    logical_date: datetime | None = _DAY,
    native: bool = False,
    **variables: Any,
) -> dict[str, Any]:
    """Return the context of a task, and put a task without a DAG into a DAG of its own.

    :param ti: its task instance. Default: a :class:`FakeTaskInstance` of its first try.
    :param logical_date: the run's logical date, with a time zone. Its data interval is the day that begins then. None:
        a run without these, as one that was triggered by hand.
    :param native: the ``render_template_as_native_obj`` of the DAG that is made.
    :param variables: more variables of the context, such as ``params``. They replace those of the same name.
    """
    if not task.has_dag():
        try:
            from airflow.sdk import DAG
        except ImportError:  # Airflow 2
            from airflow.models.dag import DAG  # type: ignore[no-redef]

        task.dag = DAG("a_dag", schedule=None, start_date=_DAY, render_template_as_native_obj=native)
    if ti is None:
        ti = FakeTaskInstance(task.task_id, max_tries=task.retries or 0)
    if isinstance(ti, FakeTaskInstance):
        ti._belong_to(task)
    context = {
        "ti": ti,
        "task_instance": ti,
        "task": task,
        "dag": task.dag,
        "params": dict(task.dag.params) | dict(task.params),
        "run_id": ti.run_id,
        "expanded_ti_count": None,
        "var": {"value": _Variables(as_json=False), "json": _Variables(as_json=True)},
    }
    start = None
    if logical_date is not None:
        import pendulum

        start = pendulum.instance(logical_date)
        context |= {
            "data_interval_start": start,
            "data_interval_end": start + timedelta(days=1),
            "logical_date": start,
            "ds": start.strftime("%Y-%m-%d"),
            "ds_nodash": start.strftime("%Y%m%d"),
            "ts": start.isoformat(),
        }
    context["dag_run"] = _dag_run(ti, start)
    return context | variables


def _dag_run(ti: Any, start: Any) -> SimpleNamespace:
    """Return the DAG run of a task instance.

    :param start: the start of its data interval, or None for a run without one.
    """
    end = None if start is None else start + timedelta(days=1)
    now = getattr(ti, "start_date", None) or datetime.now(timezone.utc)
    run_after = end or now
    return SimpleNamespace(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        conf={},
        logical_date=start,
        data_interval_start=start,
        data_interval_end=end,
        run_after=run_after,
        # Before all tries of the task, also if the test sets a date in the future.
        start_date=min(run_after, now),
    )


def run_task(
    task: Any,
    *,
    ti: Any = None,
    logical_date: datetime | None = _DAY,
    params: dict[str, Any] | None = None,
    xcoms: dict[str, Any] | None = None,
    mapped: Mapping[str, Any] | None = None,
    **variables: Any,
) -> Any:
    """Render the templates of one task, execute it, and return its result. Its deferred waits are included.

    The task itself stays unchanged, so it can run again. Templates see the values of :func:`fake_context`. Variables
    and connections come from the environment (``AIRFLOW_VAR_...``, ``AIRFLOW_CONN_...``).

    :param task: an operator or a sensor, with or without a DAG. For a function with ``@task``, it is the operator that
        ``get_task`` of the DAG returns.
    :param ti: the task instance, to choose the try or to read pushed XComs. Default: a :class:`FakeTaskInstance`.
    :param logical_date: the logical date of the run, with a time zone, or None for a run without one.
    :param params: values that replace those of the DAG's and the task's ``params``.
    :param xcoms: the return values of other tasks by task id.
    :param mapped: the arguments that one of the tasks gets, if *task* is mapped.
    :param variables: more variables of the context.
    :raises TypeError: if *task* is mapped and *mapped* is not given, or the reverse.
    :raises Exception: the error of the task. Tests can expect ``AirflowFailException``, for example.
    """
    if mapped is not None:
        task = _one_of(task, mapped)
    if not hasattr(task, "execute"):
        raise TypeError(
            f"run_task runs operators and sensors, not {type(task).__name__}. For a mapped task, set mapped to the "
            'arguments of one task, such as mapped={"call_id": "call_1"}'
        )
    if ti is None:
        ti = FakeTaskInstance(task.task_id, max_tries=task.retries or 0, xcoms=xcoms)
    elif xcoms is not None:
        raise ValueError("xcoms must not be set if ti is: pass them to FakeTaskInstance")
    context = fake_context(task, ti, logical_date=logical_date, **variables)
    context["params"] |= params or {}
    deferred = _deferral()
    method, arguments = "execute", None
    while True:
        copy = context["task"] = task.prepare_for_execution()
        copy.render_template_fields(context, task.dag.get_template_env())
        try:
            with _current(context), _as_task_runner():
                if method == "execute":
                    return copy.execute(context)
                return copy.resume_execution(method, arguments, context)
        except deferred as deferral:
            event = asyncio.run(_first_event(deferral.trigger))
            method, arguments = deferral.method_name, {**(deferral.kwargs or {}), "event": event}


def _one_of(task: Any, arguments: Mapping[str, Any]) -> Any:
    """Return the operator of one task of a mapped one."""
    if hasattr(task, "execute"):
        raise TypeError(f"mapped must be set for mapped tasks only, and {type(task).__name__} is not mapped")
    # The arguments of a function with @task are one argument of its operator.
    is_function = hasattr(task, "op_kwargs_expand_input")
    return task.unmap({"op_kwargs": dict(arguments)} if is_function else dict(arguments))


def _current(context: Any) -> AbstractContextManager[Any]:
    """Return the context manager in which Airflow's ``get_current_context()`` returns *context*."""
    try:
        from airflow.sdk.execution_time.context import set_current_context
    except ImportError:  # Airflow 2
        from airflow.models.taskinstance import (  # type: ignore[attr-defined, no-redef, unused-ignore]
            set_current_context,
        )
    return set_current_context(context)  # type: ignore[no-any-return, unused-ignore]


@contextmanager
def _as_task_runner() -> Iterator[None]:
    """Call ``execute`` without Airflow's warning that this is not its task runner."""
    try:
        from airflow.sdk.bases.operator import ExecutorSafeguard
    except ImportError:  # Airflow 2
        from airflow.models.baseoperator import (  # type: ignore[import-not-found, no-redef, unused-ignore]
            ExecutorSafeguard,
        )
    before, ExecutorSafeguard.test_mode = ExecutorSafeguard.test_mode, True
    try:
        yield
    finally:
        ExecutorSafeguard.test_mode = before


async def _first_event(trigger: Any) -> Any:
    # As a triggerer does, which restores triggers from Airflow's database.
    path, arguments = trigger.serialize()
    module, name = path.rsplit(".", 1)
    restored = getattr(importlib.import_module(module), name)(**arguments)
    async for event in restored.run():
        return event.payload
    raise RuntimeError(f"{name} ended without an event")


def _deferral() -> Any:
    try:
        from airflow.sdk.exceptions import TaskDeferred
    except ImportError:  # before 3.1
        from airflow.exceptions import TaskDeferred  # type: ignore[no-redef]
    return TaskDeferred
