"""Wait until more calls can be placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition

__all__ = ["ConcurrencyTrigger"]


class ConcurrencyTrigger(PollTrigger):
    """Wait until the organization can have more calls at once. The event has ``available``.

    :param calls: the number of calls.
    """

    def __init__(self, *, calls: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls = calls

    def parameters(self) -> dict[str, Any]:
        """Return the arguments that this class adds."""
        return {"calls": self.calls}

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.organization.waits import ConcurrencyAvailable

        return ConcurrencyAvailable(self.calls)
