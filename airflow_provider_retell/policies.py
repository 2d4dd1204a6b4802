"""Retry policies for tasks (Airflow 3.3 and later)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.params import checks

try:
    from airflow_provider_retell._compat import RetryDecision, RetryPolicy
except ImportError as error:
    raise ImportError("RetellRetryPolicy needs Airflow 3.3 or later") from error

__all__ = ["RetellRetryPolicy"]

_CAUSES = {
    401: "the API key was rejected",
    402: "no credit",
    403: "the API key lacks a permission",
    404: "not found",
    429: "too many requests",
    500: "an error at Retell",
}


class RetellRetryPolicy(RetryPolicy):
    """Retry after the delay that Retell asks for, and do not retry permanent errors.

    ::

        from airflow.sdk import DAG

        from airflow_provider_retell.policies import RetellRetryPolicy

        DAG("update_calls", default_args={"retries": 5, "retry_policy": RetellRetryPolicy()})

    If Retell sends ``Retry-After`` or ``RateLimit-Reset``, the task is retried after that time and occupies no worker
    slot in between. Other errors are retried after the task's own ``retry_delay``. The number of retries remains
    ``retries``.

    On Airflow 3.4 and later, the task is rescheduled instead if Retell certainly did not act, because it was rate
    limiting or could not be reached. That uses up no retry.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/retries.html

    :param reschedule_timeout: seconds, or a timedelta, after the first reschedule of a try. Later errors use up
        retries. Default: 2 hours. Airflow before 3.4 does not use it.
    """

    def __init__(self, *, reschedule_timeout: float | timedelta = 7200) -> None:
        seconds = checks.in_seconds("reschedule_timeout", reschedule_timeout, positive=True)
        self.reschedule_timeout = timedelta(seconds=seconds)

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Return the decision for *exception*. Airflow 3.4 shows its reason."""
        if not isinstance(exception, RetellError):
            return RetryDecision.default()
        reason = _reason(exception)
        if exception.permanent:
            return RetryDecision.fail(f"{reason}. A retry cannot fix it")
        seconds = getattr(exception, "retry_after", None)
        delay = None if seconds is None else timedelta(seconds=seconds)
        if seconds is not None:
            reason += f". Retell asked to wait {seconds:g} s"
        if exception.not_processed and hasattr(RetryDecision, "reschedule"):  # 3.4
            decision: RetryDecision = RetryDecision.reschedule(
                delay, reschedule_timeout=self.reschedule_timeout, reason=reason
            )
            return decision
        return RetryDecision.default() if delay is None else RetryDecision.retry(delay, reason)

    def serialize(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"reschedule_timeout": self.reschedule_timeout.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetellRetryPolicy:
        """Return the policy with these arguments."""
        return cls(**data)


def _reason(error: RetellError) -> str:
    """Return the status and the cause of *error*, for example ``HTTP 401: Invalid API Key``."""
    status = getattr(error, "status", None)
    if status is None:
        return str(error).rstrip(".")
    if getattr(error, "foreign", False) and status < 500:
        return f"HTTP {status}: not an answer of Retell's API"
    detail = getattr(error, "detail", "").rstrip(".")
    return f"HTTP {status}: {detail or _CAUSES.get(status, type(error).__name__)}"
