"""Sensors: wait for a call, for the calls of a batch, or for room to place more.

All are deferrable: with ``deferrable=True`` (or ``[operators] default_deferrable``) the wait costs no worker slot.
``poke_interval`` and ``timeout``, in seconds, are those of every Airflow sensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.sensors.base import RetellSensor, as_whole_number

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.triggers.base import PollTrigger

__all__ = ["ConcurrencySensor"]


class ConcurrencySensor(RetellSensor):
    """Wait until the organization has room for more calls; returns how much room there is.

    Somebody else may take the room before you do: a gate, not a reservation. More calls than the organization may
    have at all fail the task at once.

    :param calls: for how many (templated).
    """

    template_fields: Sequence[str] = ("calls", "retell_conn_id")

    def __init__(self, *, calls: int | str | XComArg = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls: Any = calls

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.organization.waits import ConcurrencyAvailable

        return ConcurrencyAvailable(as_whole_number(self.calls, "calls"))

    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for room."""
        from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger

        return ConcurrencyTrigger(calls=int(self.calls), **common)
