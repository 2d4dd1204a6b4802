"""All differences between Airflow 2.11 and 3.x. No other package checks Airflow's version or features.

This module has Airflow's own names. Each is imported when it is first used, from its newest location that exists. A
module of operators therefore does not load Airflow's sensors or notifiers.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    from airflow.triggers.base import BaseEventTrigger

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
    "init_notifier",
    "render_template_to_string",
    "task_decorator_factory",
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
