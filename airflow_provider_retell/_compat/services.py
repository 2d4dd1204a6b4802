"""Airflow's connections, storage, XCom and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import BaseHook, Connection


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


def xcom_value(ti_key: Any, key: str) -> Any:
    """Return the value that a task pushed under *key*, or None. For operator links, which have no task context."""
    try:
        from airflow.sdk.execution_time import xcom
    except ImportError:  # 2.11
        from airflow.models import xcom  # type: ignore[no-redef]
    return xcom.XCom.get_value(ti_key=ti_key, key=key)


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
