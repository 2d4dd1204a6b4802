"""How Airflow 3.3 and later should retry a task that met an error of Retell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

try:
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
except ImportError as error:
    raise ImportError(
        "RetellRetryPolicy needs Airflow 3.3 or later: older ones have no retry policies"
    ) from error

__all__ = ["RetellRetryPolicy"]


class RetellRetryPolicy(RetryPolicy):
    """Wait as long as Retell asked, fail at once where trying again cannot help.

    ``retry_policy=RetellRetryPolicy()`` on a task or in ``default_args``. A throttled task gets the delay of the
    server's ``Retry-After`` or ``RateLimit-Reset``, and gives its worker slot back meanwhile. Errors that are not
    Retell's get the task's own ``retry_delay``.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Decide by the error; see :class:`airflow.sdk.definitions.retry_policy.RetryPolicy`."""
        from airflow_provider_retell.api.errors import RetellError

        if not isinstance(exception, RetellError):
            return RetryDecision.default()
        if exception.permanent:
            return RetryDecision.fail("an error of Retell that trying again cannot mend")
        seconds = getattr(exception, "retry_after", None)
        if seconds is None:
            return RetryDecision.default()
        return RetryDecision.retry(timedelta(seconds=seconds), f"Retell asked to wait {seconds:g} s")

    def serialize(self) -> dict[str, Any]:
        """Return what makes an equal policy: nothing."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetellRetryPolicy:
        """Return an equal policy."""
        return cls()
