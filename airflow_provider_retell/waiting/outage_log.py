"""When the warnings of a long outage are logged."""

from __future__ import annotations

from airflow_provider_retell.clock import clock
from airflow_provider_retell.waiting.wait_log import HEARTBEAT_SECONDS


class OutageLog:
    """Decides when a warning is due: at the first failure of its kind, and then every ten minutes."""

    def __init__(self) -> None:
        self._logged_at: dict[str, float] = {}

    def is_due(self, kind: str) -> bool:
        """Return True if a failure of this kind must be logged now."""
        now = clock().monotonic()
        if now - self._logged_at.get(kind, float("-inf")) < HEARTBEAT_SECONDS:
            return False
        self._logged_at[kind] = now
        return True

    def reset(self) -> None:
        """Log the next failure, because the outage is over."""
        self._logged_at.clear()
