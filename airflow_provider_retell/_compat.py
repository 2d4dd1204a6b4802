"""The differences between Airflow 2.11 and 3.x, all of them, in one place.

Each name is imported when it is first asked for, from where the newest Airflow keeps it, else from where older ones
do: an operator's module loads nothing that only a sensor or a notifier needs.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import (
        BaseHook,
        BaseNotifier,
        BaseOperator,
        BaseOperatorLink,
        BaseSensorOperator,
        Connection,
        PokeReturnValue,
    )
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )
    from airflow.triggers.base import BaseEventTrigger

# The newest place first; the comments name the first version that has it.
_PLACES = {
    "BaseOperator": ("airflow.sdk", "airflow.models"),  # 3.0
    "BaseOperatorLink": ("airflow.sdk", "airflow.models.baseoperatorlink"),  # 3.0
    "BaseSensorOperator": ("airflow.sdk", "airflow.sensors.base"),  # 3.0
    "PokeReturnValue": ("airflow.sdk", "airflow.sensors.base"),  # 3.0
    "BaseNotifier": ("airflow.sdk", "airflow.notifications.basenotifier"),  # 3.0
    "BaseEventTrigger": ("airflow.triggers.base",),  # 3.0; there is nothing like it before
    "BaseHook": ("airflow.sdk", "airflow.hooks.base"),  # 3.1
    "AirflowException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.1
    "AirflowFailException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "AirflowSensorTimeout": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
    "AirflowSkipException": ("airflow.sdk.exceptions", "airflow.exceptions"),  # 3.2
}

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "BaseEventTrigger",
    "BaseHook",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Connection",
    "PokeReturnValue",
    "aget_connection",
    "default_deferrable",
    "init_notifier",
    "storage_path",
    "stored_connection",
    "xcom_of",
]


def __getattr__(name: str) -> Any:
    for place in _PLACES.get(name, ()):
        try:
            found = getattr(import_module(place), name)
        except (ImportError, AttributeError):
            continue
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def init_notifier(notifier: BaseNotifier, kwargs: dict[str, Any]) -> None:
    """Call ``BaseNotifier.__init__`` with the arguments that this Airflow's has (3.1 added ``context``)."""
    base: Any = BaseNotifier if TYPE_CHECKING else __getattr__("BaseNotifier")
    takes_context = "context" in inspect.signature(base.__init__).parameters
    base.__init__(notifier, **(kwargs if takes_context else {}))


def default_deferrable() -> bool:
    """Return whether Airflow is configured to defer where an operator can."""
    from airflow.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


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


def stored_connection(conn_id: str) -> Connection:
    """Return a connection from the environment, a secrets backend or Airflow's database, outside of tasks."""
    from airflow.models.connection import Connection

    found: Any = Connection.get_connection_from_secrets(conn_id)
    return found  # type: ignore[no-any-return]


def storage_path(path: str, conn_id: str | None = None) -> Any:
    """Return *path*, local or a URL, as Airflow's ``ObjectStoragePath``."""
    try:
        from airflow.sdk import ObjectStoragePath
    except ImportError:  # 2.11
        from airflow.io.path import ObjectStoragePath  # type: ignore[import-not-found, no-redef]
    return ObjectStoragePath(path if "://" in path else f"file://{Path(path).absolute()}", conn_id=conn_id)
