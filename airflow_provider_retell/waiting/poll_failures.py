"""Which failures a wait lives through: the same in the triggerer and in a worker."""

from __future__ import annotations

import logging

from airflow_provider_retell.api.errors import RateLimitError, RetellError
from airflow_provider_retell.hooks.reason import safe_reason

log = logging.getLogger(__name__)


class PollFailures:
    """The polls of one wait that failed in a row.

    :param most: how many may.
    :ivar failures: how many did.
    :ivar polled_before: whether there was a look before; if not, only errors of Retell's are lived through.
    """

    def __init__(self, most: int, failures: int = 0, polled_before: bool = False) -> None:
        self._most = most
        self.failures = failures
        self.polled_before = polled_before

    def allows(self, error: Exception) -> bool:
        """Count a poll that failed; return whether the wait goes on."""
        # Being throttled is no fault: it says that there are many waits, not that this one is in vain.
        self.failures += not isinstance(error, RateLimitError)
        return not is_permanent(error) and self.failures <= self._most

    def reset(self) -> None:
        """Note a poll that was answered."""
        self.failures = 0
        self.polled_before = True

    def check(self, error: Exception, condition: object) -> None:
        """Count a poll that failed and log it; raise, as the end of the wait, if there were too many.

        A connection that cannot be looked up ends a wait that has just begun: it was never there, perhaps.
        """
        if not (self.polled_before or isinstance(error, RetellError)):
            raise error
        self.polled_before = True
        if self.allows(error):
            log.warning("Poll failed, %d in a row: %s", self.failures, safe_reason(error))
        elif is_permanent(error):
            raise error
        else:
            raise RetellError(self.verdict(error, condition)) from error

    def verdict(self, error: Exception, condition: object) -> str:
        """Say why the wait ends."""
        times = f" ({self.failures} polls in a row failed)" if self.failures > 1 else ""
        return f"Stopped waiting for {condition}{times}: {safe_reason(error)}"


def is_permanent(error: Exception) -> bool:
    """Return whether trying again cannot help."""
    return bool(getattr(error, "permanent", False))
