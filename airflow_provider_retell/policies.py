"""Retry policies for tasks (Airflow 3.3 and later)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_retell.api.errors import RetellError

try:
    from airflow_provider_retell._compat import RetryDecision, RetryPolicy
except ImportError as error:
    raise ImportError("RetellRetryPolicy needs Airflow 3.3 or later") from error

__all__ = ["RetellRetryPolicy"]


class RetellRetryPolicy(RetryPolicy):
    """Retry after the delay that Retell asks for, and do not retry permanent errors.

    ::

        from airflow_provider_retell.policies import RetellRetryPolicy

        DAG("update_calls", default_args={"retries": 5, "retry_policy": RetellRetryPolicy()})

    If Retell sends ``Retry-After`` or ``RateLimit-Reset``, the task is retried after that time and occupies no worker
    slot in between. Other errors are retried after the task's own ``retry_delay``. The number of retries remains
    ``retries``.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/retries.html
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Return the decision for *exception*."""
        if not isinstance(exception, RetellError):
            return RetryDecision.default()
        if exception.permanent:
            return RetryDecision.fail(f"A retry cannot fix {type(exception).__name__}")
        seconds = getattr(exception, "retry_after", None)
        if seconds is None:
            return RetryDecision.default()
        return RetryDecision.retry(timedelta(seconds=seconds), f"Retell asked to wait {seconds:g} s")

    def serialize(self) -> dict[str, Any]:
        """Return an empty mapping, because the policy has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetellRetryPolicy:
        """Return a policy."""
        return cls()
