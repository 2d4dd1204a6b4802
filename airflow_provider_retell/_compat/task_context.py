"""The context of a running task: its tries, its DAG run, its state store and its outlets."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID


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


def first_poke(context: Mapping[str, Any]) -> float | None:
    """Return the time of a rescheduled sensor's first poke in epoch seconds, or None if this is its first.

    Before Airflow 3, the answer is None.
    """
    read = getattr(context["ti"], "get_first_reschedule_date", None)
    first = None if read is None else read(context)
    return None if first is None else float(first.timestamp())


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
