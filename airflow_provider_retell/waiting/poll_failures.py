"""The failed polls of a wait. Triggers, sensors and waiting operators tolerate the same failures."""

from __future__ import annotations

import logging
from typing import Any

from airflow_provider_retell.api.errors import RateLimitError, RetellError, WaitFailedError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.reason import safe_reason
from airflow_provider_retell.waiting.wait_log import HEARTBEAT_SECONDS


class PollFailures:
    """Counts the consecutive failed polls of one wait.

    :param limit: the number of consecutive polls that may fail; one more failure ends the wait. None: no number does.
    :param count: the number that have failed already.
    :param polled_before: False if the wait has just begun. The first poll must find the Airflow connection.
    :ivar count: the number of consecutive polls that have failed.
    """

    def __init__(
        self,
        limit: int | None,
        count: int = 0,
        polled_before: bool = False,
        log: Any = None,
        *,
        retell_conn_id: str,
    ) -> None:
        self.count = count
        self._limit = limit
        self._polled_before = polled_before
        self._log: logging.Logger = log or logging.getLogger(__name__)
        self._conn_id = retell_conn_id
        self._outage = OutageLog()

    def reset(self) -> None:
        """Start to count again, because a poll succeeded."""
        self.count = 0
        self._polled_before = True
        self._outage.reset()

    def check(self, error: Exception, condition: object) -> None:
        """Count a failed poll and log it, or raise the error that ends the wait.

        In a long outage, only some of the polls are logged.

        Rate limiting does not count: it shows that many waits poll, not that this one is in vain.

        :param condition: completes the phrase "waiting for ...".
        :raises WaitFailedError: if the error is permanent.
        :raises RetellError: if too many polls have failed in a row.
        """
        if not (self._polled_before or isinstance(error, RetellError)):
            raise error
        self._polled_before = True
        self.count += not isinstance(error, RateLimitError)
        if isinstance(error, RetellError) and error.permanent:
            raise WaitFailedError(self._message(error, condition)) from error
        if self._limit is not None and self.count > self._limit:
            raise RetellError(self._message(error, condition)) from error
        if not self._outage.is_due(type(error).__name__):
            return
        if isinstance(error, RateLimitError):
            self._log.warning("Connection %r: poll was throttled: %s", self._conn_id, safe_reason(error))
        else:
            self._log.warning(
                "Connection %r: poll failed, %d in a row: %s", self._conn_id, self.count, safe_reason(error)
            )

    def _message(self, error: Exception, condition: object) -> str:
        polls = f" ({self.count} polls in a row failed)" if self.count > 1 else ""
        return f"Stopped waiting for {condition}{polls}: {safe_reason(error)}"


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
