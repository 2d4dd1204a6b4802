"""All differences between Airflow 2.11 and 3.x. No other module checks Airflow's version or features.

Each name is imported when it is first used, from its newest location that exists. A module of operators therefore does
not load Airflow's sensors or notifiers.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from airflow.sdk import (
        BaseHook,
        BaseNotifier,
        BaseOperator,
        BaseOperatorLink,
        BaseSensorOperator,
        Connection,
        Context,
        PokeReturnValue,
    )
    from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
    from airflow.sdk.bases.skipmixin import SkipMixin
    from airflow.sdk.definitions.context import render_template_to_string
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
        AirflowTaskTimeout,
    )
    from airflow.triggers.base import BaseEventTrigger, BaseTrigger

# The newest location first. The comments have the first version with that location.
_LOCATIONS = {
    "BaseOperator": ("airflow.sdk", "airflow.models"),  # 3.0
    "BaseOperatorLink": ("airflow.sdk", "airflow.models.baseoperatorlink"),  # 3.0
    "BaseSensorOperator": ("airflow.sdk", "airflow.sensors.base"),  # 3.0
    "DecoratedOperator": ("airflow.sdk.bases.decorator", "airflow.decorators.base"),  # 3.0
    "Context": ("airflow.sdk", "airflow.utils.context"),  # 3.0
    "PokeReturnValue": ("airflow.sdk", "airflow.sensors.base"),  # 3.0
    "BaseNotifier": ("airflow.sdk", "airflow.notifications.basenotifier"),  # 3.0
    "BaseEventTrigger": ("airflow.triggers.base",),  # 3.0; no older version has event triggers
    "BaseHook": ("airflow.sdk", "airflow.hooks.base"),  # 3.1
    "AirflowException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.1
    "AirflowFailException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "AirflowNotFoundException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "AirflowSensorTimeout": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "AirflowSkipException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "AirflowTaskTimeout": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "RetryDecision": ("airflow.sdk.definitions.retry_policy",),  # 3.3; no older version has retry policies
    "RetryPolicy": ("airflow.sdk.definitions.retry_policy",),  # 3.3
    "SkipMixin": (
        "airflow.sdk.bases.skipmixin",  # 3.2
        "airflow.providers.standard.utils.skipmixin",  # 3.0
        "airflow.models.skipmixin",
    ),
    "task_decorator_factory": ("airflow.sdk.bases.decorator", "airflow.decorators.base"),  # 3.0
    "render_template_to_string": ("airflow.sdk.definitions.context", "airflow.utils.helpers"),  # 3.1
}

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "AirflowTaskTimeout",
    "BaseEventTrigger",
    "BaseHook",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Connection",
    "Context",
    "DecoratedOperator",
    "PokeReturnValue",
    "RetryDecision",
    "RetryPolicy",
    "SkipMixin",
    "TaskStateStore",
    "add_asset_event",
    "aget_connection",
    "asset_state_store",
    "default_deferrable",
    "first_poke",
    "has_moved",
    "increment_metric",
    "init_notifier",
    "loop_iteration",
    "render_template_to_string",
    "run_after",
    "skip_tasks",
    "storage_path",
    "stored_connection",
    "supports_applies_to",
    "supports_fastapi_apps",
    "supports_report_page",
    "task_decorator_factory",
    "task_state_store",
    "was_rescheduled",
    "xcom_value",
]


def __getattr__(name: str) -> Any:
    for location in _LOCATIONS.get(name, ()):
        try:
            found = getattr(import_module(location), name)
        except (ImportError, AttributeError):
            continue
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def init_notifier(notifier: BaseNotifier, kwargs: dict[str, Any]) -> None:
    """Call ``BaseNotifier.__init__`` with the arguments that it accepts. Airflow 3.1 added ``context``."""
    base: Any = BaseNotifier if TYPE_CHECKING else __getattr__("BaseNotifier")
    takes_context = "context" in inspect.signature(base.__init__).parameters
    base.__init__(notifier, **(kwargs if takes_context else {}))


def default_deferrable() -> bool:
    """Return True if Airflow is configured to defer every operator that can."""
    from airflow.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def supports_fastapi_apps() -> bool:
    """Return True if plugins can add apps to the API server (Airflow 3.0 and later)."""
    from airflow.plugins_manager import AirflowPlugin

    return hasattr(AirflowPlugin, "fastapi_apps")


def supports_report_page() -> bool:
    """Return True if the REST API accepts the session of a browser (Airflow 3.1 and later)."""
    from airflow import __version__

    return tuple(map(int, __version__.split(".")[:2])) >= (3, 1)


def supports_applies_to() -> bool:
    """Return True if plugins can limit tabs to the tasks of some operators (Airflow 3.4 and later)."""
    from airflow import plugins_manager

    return hasattr(plugins_manager, "AppliesToDict")


def xcom_value(ti_key: Any, key: str) -> Any:
    """Return the value that a task pushed under *key*, or None. For operator links, which have no task context."""
    try:
        from airflow.sdk.execution_time import xcom
    except ImportError:  # 2.11
        from airflow.models import xcom  # type: ignore[no-redef]
    return xcom.XCom.get_value(ti_key=ti_key, key=key)


class TaskStateStore:
    """Values that a task keeps across its tries, until its DAG run is deleted."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def get(self, key: str) -> Any:
        """Return the value of *key*, or None."""
        return self._store.get(key)

    def set(self, key: str, value: Any) -> None:
        """Store *value*, any JSON, under *key*."""
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        self._store.set(key, value, retention=NEVER_EXPIRE)

    def keeps(self, ti: Any) -> bool:
        """Return False if values can be lost before the DAG run is deleted.

        Airflow 3.4 discards them when a user clears the task, and ``[state_store] clear_on_success`` when the task
        succeeds.
        """
        from airflow.configuration import conf

        discards_on_clear = hasattr(ti, "region_id")  # task loops came with 3.4
        return not (discards_on_clear or conf.getboolean("state_store", "clear_on_success", fallback=False))


def task_state_store(context: Mapping[str, Any]) -> TaskStateStore | None:
    """Return the state store of the task that runs with *context*, or None before Airflow 3.3."""
    store = context.get("task_state_store")
    return None if store is None else TaskStateStore(store)


async def aget_connection(hook: type[BaseHook], conn_id: str) -> Connection:
    """Return the connection *conn_id* without blocking the event loop.

    Airflow's own ``aget_connection`` can deadlock before 3.3.2, and lookups in several threads corrupt the triggerer's
    channel to its supervisor in 3.0 and 3.1. ``sync_to_async`` is safe in all versions: it runs all lookups of a
    process in one thread.
    """
    try:
        from airflow.sdk import Connection

        # The fix of the deadlock added this method.
        is_safe = hasattr(Connection, "aextra_dejson")
    except ImportError:  # 2.11
        is_safe = False
    if is_safe:
        return await hook.aget_connection(conn_id)
    from asgiref.sync import sync_to_async

    connection: Connection = await sync_to_async(hook.get_connection)(conn_id)
    return connection


def stored_connection(conn_id: str) -> Connection:
    """Return a connection from the environment, a secrets backend or Airflow's database, outside of tasks."""
    from airflow.models.connection import Connection

    found: Any = Connection.get_connection_from_secrets(conn_id)
    return found  # type: ignore[no-any-return]


def storage_path(path: str, conn_id: str | None = None) -> Any:
    """Return *path*, a local path or a URL, as Airflow's ``ObjectStoragePath``."""
    try:
        from airflow.sdk import ObjectStoragePath
    except ImportError:  # 2.11
        from airflow.io.path import ObjectStoragePath  # type: ignore[import-not-found, no-redef]
    return ObjectStoragePath(path if "://" in path else f"file://{Path(path).absolute()}", conn_id=conn_id)


def asset_state_store(trigger: BaseEventTrigger) -> Any:
    """Return the state store of the trigger's asset, or None before Airflow 3.3."""
    return getattr(trigger, "asset_state_store", None)


def loop_iteration(context: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the number and the region of the iteration of a task loop (Airflow 3.4), or ``()`` outside loops.

    Mapped tasks have a region too. A task in a loop that is cleared and created again has a new region.
    """
    ti, loop = context.get("ti"), context.get("loop")
    region, index = getattr(ti, "region_id", None), getattr(ti, "region_index", None)
    if loop is not None:
        return loop.index, region
    map_index = getattr(ti, "map_index", None)
    if region is None or UUID(str(region)).int == 0 or (map_index is not None and map_index >= 0):
        return ()
    return f"{region}/{index}", region


def was_rescheduled(context: Mapping[str, Any]) -> bool:
    """Return True if the present try of the task has run before, and was rescheduled. That keeps the try number.

    Before Airflow 3, the answer is False.
    """
    return bool(context.get("task_reschedule_count"))


def add_asset_event(context: Mapping[str, Any], outlet: Any, extra: dict[str, Any]) -> None:
    """Give the event of an outlet its *extra*. Outlets of other kinds, which have no events, are ignored.

    An alias has an event only for an asset that is added to it: here, the asset with the name of the alias.
    """
    try:
        event = context["outlet_events"][outlet]
    except (KeyError, TypeError):
        return
    event.extra = extra
    if type(outlet).__name__ in ("AssetAlias", "DatasetAlias"):
        try:
            from airflow.sdk import Asset
        except ImportError:  # 2.11
            from airflow.datasets import Dataset as Asset  # type: ignore[import-not-found, no-redef]
        event.add(Asset(outlet.name), extra=extra)


def increment_metric(name: str, number: float, tags: Mapping[str, str]) -> None:
    """Add *number* to a counter of Airflow's metrics. Without StatsD or OpenTelemetry, this does nothing."""
    stats: Any
    try:
        from airflow.sdk.observability import stats
    except ImportError:  # before 3.2
        from airflow import stats
    # A function since 3.3, a method of a class before.
    add = getattr(stats, "incr", None) or stats.Stats.incr
    add(name, number, tags=dict(tags))


async def has_moved(trigger: BaseTrigger) -> bool:
    """Return True if a trigger may have been cancelled because it moved to another triggerer.

    Airflow 3.3 calls ``on_kill`` then too. Its task is still deferred, whereas a user who kills a task changes its
    state. Later versions call ``on_kill`` only for users.
    """
    from airflow import __version__

    ti: Any = getattr(trigger, "task_instance", None)
    if ti is None or not __version__.startswith("3.3."):
        return False
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from asgiref.sync import sync_to_async

    name = ti.task_id if ti.map_index is None or ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}"
    try:
        states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id]
        )
    except Exception:  # without the state, hanging up would be a guess
        return True
    return str(states.get(ti.run_id, {}).get(name)) == "deferred"


def run_after(context: Mapping[str, Any]) -> float | None:
    """Return the earliest time at which the DAG run can have started, in epoch seconds, or None if it is unknown.

    A clear changes the ``start_date`` of a DAG run, but not this. Before Airflow 3, it is the end of the data interval.
    """
    run = context["dag_run"]
    for name in ("run_after", "data_interval_end", "logical_date"):
        time = getattr(run, name, None)
        if time is not None:
            return float(time.timestamp())
    return None


def skip_tasks(context: Mapping[str, Any], skipping: Any, tasks: Sequence[Any]) -> None:
    """Skip *tasks*, which are downstream of *skipping*, an operator with ``SkipMixin``.

    If they are cleared alone, Airflow skips them again. Since Airflow 3, this raises an exception that ends the task
    with success, but without its return value.
    """
    ti, skip = context["ti"], skipping.skip
    if "dag_run" in inspect.signature(skip).parameters:  # 2.11
        run: Any = context["dag_run"]
        skip(dag_run=run, execution_date=run.execution_date, tasks=tasks, map_index=ti.map_index)
    else:
        skip(ti=ti, tasks=tasks)


def first_poke(context: Mapping[str, Any]) -> float | None:
    """Return the time of a rescheduled sensor's first poke in epoch seconds, or None if this is its first.

    Before Airflow 3, the answer is None.
    """
    read = getattr(context["ti"], "get_first_reschedule_date", None)
    first = None if read is None else read(context)
    return None if first is None else float(first.timestamp())
