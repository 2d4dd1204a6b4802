"""A clock whose time passes only in sleeps."""

from __future__ import annotations

from airflow_provider_retell.clock import FastClock


class SleepingClock(FastClock):
    """A clock that begins at 1,000 and moves only in sleeps."""

    def time(self) -> float:
        return 1000.0 + self.skipped

    monotonic = time
