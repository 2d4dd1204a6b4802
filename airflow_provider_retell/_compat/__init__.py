"""All differences between Airflow 2.11 and 3.x. No other package checks Airflow's version or features.

This module has Airflow's own names. Each is imported when it is first used, from its newest location that exists. A
module of operators therefore does not load Airflow's sensors or notifiers.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # "as" marks the names as exported
    from airflow.sdk import BaseHook as BaseHook
    from airflow.sdk import BaseNotifier as BaseNotifier
    from airflow.sdk import BaseOperator as BaseOperator
    from airflow.sdk import BaseOperatorLink as BaseOperatorLink
    from airflow.sdk import BaseSensorOperator as BaseSensorOperator
    from airflow.sdk import Connection as Connection
    from airflow.sdk import Context as Context
    from airflow.sdk import PokeReturnValue as PokeReturnValue
    from airflow.sdk.bases.decorator import DecoratedOperator as DecoratedOperator
    from airflow.sdk.bases.decorator import task_decorator_factory as task_decorator_factory
    from airflow.sdk.bases.skipmixin import SkipMixin as SkipMixin
    from airflow.sdk.definitions.context import render_template_to_string as render_template_to_string
    from airflow.sdk.definitions.retry_policy import RetryDecision as RetryDecision
    from airflow.sdk.definitions.retry_policy import RetryPolicy as RetryPolicy
    from airflow.sdk.exceptions import AirflowException as AirflowException
    from airflow.sdk.exceptions import AirflowFailException as AirflowFailException
    from airflow.sdk.exceptions import AirflowNotFoundException as AirflowNotFoundException
    from airflow.sdk.exceptions import AirflowSensorTimeout as AirflowSensorTimeout
    from airflow.sdk.exceptions import AirflowSkipException as AirflowSkipException
    from airflow.sdk.exceptions import AirflowTaskTimeout as AirflowTaskTimeout
    from airflow.triggers.base import BaseEventTrigger as BaseEventTrigger

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
