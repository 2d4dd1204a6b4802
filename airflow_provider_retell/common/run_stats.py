"""Duration, requests and quota delays of a bulk update or an export."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.api.quota import Usage
from airflow_provider_retell.clock import clock

SCHEMA_VERSION = 1
"""The version of manifests. It changes if a key is renamed, removed, or gets another meaning."""


class RunStats:
    """Measures one run, from its creation on."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._started = clock().monotonic()

    @property
    def seconds(self) -> float:
        """The duration of the run so far."""
        return clock().monotonic() - self._started

    @property
    def requests(self) -> int:
        """The number of requests so far, including retries."""
        return self._usage.requests

    @property
    def waited_seconds(self) -> float:
        """The time during which the quota delayed at least one request."""
        return self._waited(self.seconds)

    def _waited(self, seconds: float) -> float:
        # The usage includes delays that have not passed yet.
        return min(self._usage.waited, seconds)

    def manifest(self, **counts: Any) -> dict[str, Any]:
        """Return the manifest of the run, with *counts*."""
        seconds = self.seconds
        return {
            "schema_version": SCHEMA_VERSION,
            **counts,
            "requests": self.requests,
            "seconds": round(seconds, 3),
            "waited_seconds": round(self._waited(seconds), 3),
        }
