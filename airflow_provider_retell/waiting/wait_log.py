"""The log of a wait."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.clock import clock
from airflow_provider_retell.common.wording import duration
from airflow_provider_retell.hooks.reason import safe_reason

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition, Poll

HEARTBEAT_SECONDS = 600.0
"""How often a wait logs a line while the state stays the same."""

HINT_POLLS = 3
"""After so many poll intervals, a wait logs the hint of a poll."""


class Progress:
    """Logs the start, the changes and the end of one wait.

    :param condition: completes the phrase "waiting for ...".
    :param deadline: epoch seconds at which the wait ends.
    :param started: epoch seconds at which the wait began; now if not given.
    :ivar state: the last state that was read, or None.
    """

    def __init__(
        self,
        condition: Condition,
        *,
        deadline: float,
        poll_interval: float,
        started: float | None = None,
        log: Any = None,
    ) -> None:
        self._condition = condition
        self.deadline = deadline
        self._poll_interval = poll_interval
        self.started = clock().time() if started is None else started
        self._log: logging.Logger = log or logging.getLogger(__name__)
        self._logged_at = clock().time()
        self.state: str | None = None
        self._failure: str | None = None
        self._hint = self._logged_hint = ""

    def start(self) -> None:
        """Log that the wait starts, or continues in another process."""
        self._log.info(
            "Waiting for %s, for up to %s; polling every %s",
            self._condition,
            duration(self.deadline - clock().time()),
            duration(self._poll_interval),
        )

    def polled(self, poll: Poll) -> None:
        """Log the end of the wait, a new state, or once in a while that the wait continues."""
        now, before = clock().time(), self.state
        self.state, self._failure, self._hint = poll.state, None, poll.hint
        if (
            poll.hint not in ("", self._logged_hint)
            and now - self.started >= HINT_POLLS * self._poll_interval
        ):
            self._log.warning("Waiting for %s: %s", self._condition, poll.hint)
            self._logged_hint = poll.hint
        if poll.done:
            self._log.info(
                "Finished waiting for %s after %s: %s",
                self._condition,
                duration(now - self.started),
                ", ".join((poll.state, *_details(poll.result))),
            )
        elif before != poll.state:
            self._log.info("Waiting for %s: %s", self._condition, poll.state)
        elif now - self._logged_at >= HEARTBEAT_SECONDS:
            self._log.info(
                "Still waiting for %s: %s; %s left",
                self._condition,
                poll.state,
                duration(self.deadline - now),
            )
        else:
            return
        self._logged_at = now

    def failed(self, error: BaseException) -> None:
        """Keep the error of a poll for the message of a timeout."""
        self._failure = safe_reason(error)

    def last_state(self) -> str:
        """Return the last state for messages, its hint, and the last error if no poll has succeeded since."""
        state = ". ".join(filter(None, (self.state or "unknown", self._hint)))
        if self._failure is None:
            return f"Last state: {state}"
        polls = "The last poll" if self.state else "All polls"
        return f"Last state: {state}. {polls} failed: {self._failure}"

    def timeout_message(self) -> str:
        """Return the message of the error for a wait that reached its deadline."""
        waited = duration(clock().time() - self.started)
        return f"Timed out after {waited} of waiting for {self._condition}. {self.last_state()}"


def _details(result: Mapping[str, Any]) -> list[str]:
    details = []
    if reason := result.get("disconnection_reason"):
        details.append(f"disconnection reason {reason}")
    if milliseconds := result.get("duration_ms"):
        details.append(f"duration {duration(milliseconds / 1000)}")
    return details
