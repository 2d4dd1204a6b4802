"""Conditions on the organization's concurrency."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_retell.api.errors import WaitFailedError
from airflow_provider_retell.api.organization.endpoints import get_concurrency
from airflow_provider_retell.api.organization.models import Concurrency
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.waits import Condition, Poll


@dataclass(frozen=True)
class ConcurrencyAvailable(Condition):
    """The organization can place *calls* more outbound calls at once."""

    calls: int = 1

    def __str__(self) -> str:
        return f"concurrency for {self.calls} more call{'s' * (self.calls != 1)}"

    def poll(self) -> Flow[Poll]:
        """Read the concurrency.

        :raises WaitFailedError: if the organization's limit is lower than *calls*.
        """
        concurrency: Concurrency = yield get_concurrency()
        if self.calls > concurrency.outbound_limit:
            raise WaitFailedError(
                f"Concurrency for {self.calls} calls will never be available: the organization's limit is "
                f"{concurrency.outbound_limit} outbound calls at once. Place fewer calls at a time, or ask Retell for "
                "a higher limit"
            )
        available = concurrency.available
        return Poll(available >= self.calls, f"{available} available", {"available": available})
