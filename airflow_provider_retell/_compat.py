"""The differences between Airflow 2.11 and 3.x, all of them, in one place.

Each name is imported from where the newest Airflow keeps it, else from where older ones do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import BaseHook, BaseOperator, BaseOperatorLink, Connection
    from airflow.sdk.exceptions import AirflowFailException
else:
    try:
        from airflow.sdk import BaseOperator, BaseOperatorLink
    except ImportError:  # 2.11
        from airflow.models import BaseOperator
        from airflow.models.baseoperatorlink import BaseOperatorLink
    try:
        from airflow.sdk import BaseHook
    except ImportError:  # 2.11, 3.0
        from airflow.hooks.base import BaseHook
    try:
        from airflow.sdk.exceptions import AirflowFailException
    except ImportError:  # before 3.2
        from airflow.exceptions import AirflowFailException

__all__ = [
    "AirflowFailException",
    "BaseHook",
    "BaseOperator",
    "BaseOperatorLink",
    "Connection",
    "aget_connection",
    "storage_path",
    "xcom_of",
]


def xcom_of(ti_key: Any, key: str) -> Any:
    """Return what a task pushed under *key*, or None; works wherever Airflow makes links."""
    try:
        from airflow.sdk.execution_time import xcom
    except ImportError:  # 2.11
        from airflow.models import xcom  # type: ignore[no-redef]
    return xcom.XCom.get_value(ti_key=ti_key, key=key)


async def aget_connection(hook: type[BaseHook], conn_id: str) -> Connection:
    """Look a connection up without blocking the event loop, in the one way that is safe for each Airflow.

    Airflow's own async look-up can dead-lock before 3.3.2, and a plain thread corrupts the triggerer's channel on
    3.0 and 3.1; ``sync_to_async`` runs every look-up of a process on one thread, which all versions stand.
    """
    try:
        from airflow.sdk import Connection

        safe = hasattr(Connection, "aextra_dejson")  # came with the fix
    except ImportError:  # 2.11
        safe = False
    if safe:
        return await hook.aget_connection(conn_id)
    from asgiref.sync import sync_to_async

    connection: Connection = await sync_to_async(hook.get_connection)(conn_id)
    return connection


def storage_path(path: str, conn_id: str | None = None) -> Any:
    """Return *path*, local or a URL, as Airflow's ``ObjectStoragePath``."""
    try:
        from airflow.sdk import ObjectStoragePath
    except ImportError:  # 2.11
        from airflow.io.path import ObjectStoragePath  # type: ignore[import-not-found, no-redef]
    return ObjectStoragePath(path if "://" in path else f"file://{os.path.abspath(path)}", conn_id=conn_id)
