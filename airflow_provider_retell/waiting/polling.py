"""Wait for a condition in a coroutine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import WaitTimeoutError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.waiting.poll_failures import PollFailures
from airflow_provider_retell.waiting.wait_log import Progress

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.hooks.retell import RetellAsyncHook


@dataclass(frozen=True)
class Polling:
    """How a coroutine waits.

    :ivar hook: makes the hook for the polls of a wait, whose retries are short.
    :ivar poll_interval: seconds between two polls.
    :ivar timeout: seconds after which a wait fails.
    :ivar max_failures: the number of consecutive failed polls that a wait tolerates.
    """

    hook: Callable[[], RetellAsyncHook]
    poll_interval: float
    timeout: float
    max_failures: int

    async def wait_for(self, condition: Condition, *, quiet: bool = False) -> dict[str, Any]:
        """Return the result of the poll in which *condition* holds.

        :param quiet: True to log nothing if that is the first one.
        :raises WaitTimeoutError: if the wait takes too long.
        """
        deadline = clock().time() + self.timeout
        progress = Progress(condition, deadline=deadline, poll_interval=self.poll_interval)
        async with self.hook() as hook:
            failures = PollFailures(self.max_failures, polled_before=True, retell_conn_id=hook.retell_conn_id)
            while True:
                try:
                    poll = await hook.run(condition.poll())
                except Exception as error:
                    failures.check(error, condition)
                    progress.failed(error)
                else:
                    failures.reset()
                    if progress.state is not None or not (quiet and poll.done):
                        progress.polled(poll)
                    if poll.done:
                        return poll.result
                left = deadline - clock().time()
                if left <= 0:
                    raise WaitTimeoutError(progress.timeout_message())
                await clock().sleep_async(min(self.poll_interval, left))
