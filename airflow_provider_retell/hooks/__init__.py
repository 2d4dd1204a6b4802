"""Hooks, the classes of their settings, and the base class of their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.api.errors import RetellError
    from airflow_provider_retell.api.quota import Rate
    from airflow_provider_retell.api.retry import RetryLimits
    from airflow_provider_retell.hooks.airflow_api import AirflowApi, AirflowApiError
    from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "api.errors": ["RetellError"],
            "api.quota": ["Rate"],
            "api.retry": ["RetryLimits"],
            "hooks.airflow_api": ["AirflowApi", "AirflowApiError"],
            "hooks.retell": ["RetellAsyncHook", "RetellHook"],
        },
    )

__all__ = [
    "AirflowApi",
    "AirflowApiError",
    "Rate",
    "RetellAsyncHook",
    "RetellError",
    "RetellHook",
    "RetryLimits",
]
