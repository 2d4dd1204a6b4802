"""Base class of the polling triggers."""

from __future__ import annotations

import asyncio
import random
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.params import checks
from airflow_provider_retell.waiting.event import end_of_wait
from airflow_provider_retell.waiting.poll_failures import PollFailures
from airflow_provider_retell.waiting.wait_log import Progress

if TYPE_CHECKING:
    from typing_extensions import Self

    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

    SharedHook = Callable[[str], AbstractAsyncContextManager[RetellAsyncHook]]

_LAST_POLL_SECONDS = 30.0


class PollTrigger(BaseTrigger):
    """Poll Retell until a condition holds, then send one event.

    The event is one of these:

    - ``{"status": "done"}`` with the result of the poll, and with ``state`` if there is one
    - ``{"status": "timeout", "message": ..., "execution_timeout": ...}`` with the arguments of the condition;
      ``execution_timeout`` is True if the wait ended at ``execution_deadline``
    - ``{"status": "error", "message": ..., "permanent": ...}``

    Airflow stores the arguments in its database: ids, numbers and times, no secrets or personal data. A restarted
    triggerer continues with the same deadline.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html

    :cvar own_arguments: the constructor's arguments that a subclass adds. The trigger has them as attributes.
    :param retell_conn_id: the Airflow connection of type ``retell``.
    :param poll_interval: seconds between two polls, or a timedelta. The trigger varies it by up to a tenth, so that the
        requests of many waits spread out.
    :param deadline: epoch seconds after which the trigger polls one last time.
    :param max_poll_failures: the number of consecutive polls that may fail; one more failure ends the wait. None: no
        number does. Rate limiting does not count. A permanent error ends the wait at once. Default: 10.
    :param started: epoch seconds at which the wait began, for messages and for the back-off. Default: now.
    :param state: values that the waiting operator continues with: ids, numbers and times. Default: none.
    :param execution_deadline: epoch seconds at which the task's ``execution_timeout`` ends the wait. Default: none.
    :param exponential_backoff: True to double the time since the start of the wait with every poll: each pause is
        ``poll_interval`` plus the time that has passed. Default: False.
    :param max_wait: the longest pause of the back-off: seconds, or a timedelta. Default: no limit.
    """

    own_arguments: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        retell_conn_id: str,
        poll_interval: float | timedelta,
        deadline: float,
        max_poll_failures: int | None = 10,
        started: float | None = None,
        state: Mapping[str, Any] | None = None,
        execution_deadline: float | None = None,
        exponential_backoff: bool = False,
        max_wait: float | timedelta | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.retell_conn_id = retell_conn_id
        self.poll_interval = checks.in_seconds("poll_interval", poll_interval)
        self.deadline = deadline
        self.max_poll_failures = max_poll_failures
        self.started = clock().time() if started is None else started
        self.state = dict(state or {})
        self.execution_deadline = execution_deadline
        self.exponential_backoff = exponential_backoff
        self.max_wait = None if max_wait is None else checks.in_seconds("max_wait", max_wait)

    @classmethod
    def waiting_for(cls, condition: Condition, **arguments: Any) -> Self:
        """Return a trigger that waits for *condition*; *arguments* are the others of the constructor."""
        # The task selects the fields of the analysis, because the trigger's event is stored in Airflow's database.
        fields = {name: value for name, value in vars(condition).items() if name != "analysis_fields"}
        return cls(**fields, **arguments)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the constructor's arguments."""
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", {
            "retell_conn_id": self.retell_conn_id,
            "poll_interval": self.poll_interval,
            "deadline": self.deadline,
            "max_poll_failures": self.max_poll_failures,
            "started": self.started,
            "state": self.state,
            "execution_deadline": self.execution_deadline,
            "exponential_backoff": self.exponential_backoff,
            "max_wait": self.max_wait,
            **{name: getattr(self, name) for name in self.own_arguments},
        }

    @abstractmethod
    def condition(self) -> Condition:
        """Return the condition to wait for."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the wait is over, then yield one event."""
        # The import takes long enough to block an event loop.
        shared_hook = await asyncio.to_thread(_import_shared_hook)
        progress = Progress(
            self.condition(),
            deadline=self._end,
            poll_interval=self.poll_interval,
            started=self.started,
            log=self.log,
        )
        progress.start()
        polling = asyncio.ensure_future(self._poll(shared_hook, progress))
        try:
            # The last poll may hang, or wait for the quota. It must not delay the end of the wait much.
            left = max(self._end - clock().time(), 0)
            await clock().wait(polling, left + _LAST_POLL_SECONDS)
            event = polling.result() if polling.done() else self._timeout(progress)
        except RetellError as error:
            event = {"status": "error", "permanent": error.permanent, "message": str(error)}
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
        yield TriggerEvent(event)  # type: ignore[no-untyped-call, unused-ignore]

    async def _poll(self, shared_hook: SharedHook, progress: Progress) -> dict[str, Any]:
        condition, hook = self.condition(), None
        failures = PollFailures(
            self.max_poll_failures, polled_before=True, log=self.log, retell_conn_id=self.retell_conn_id
        )
        # The task has just polled. After a restart of the triggerer, the first polls of many waits must spread out.
        pause = self.poll_interval * random.random()  # noqa: S311
        async with AsyncExitStack() as stack:
            while True:
                left = self._end - clock().time()
                await clock().sleep_async(max(min(pause, left), 0))
                try:
                    if hook is None:
                        hook = await stack.enter_async_context(shared_hook(self.retell_conn_id))
                    poll = await hook.run(condition.poll())
                except Exception as error:
                    failures.check(error, condition)
                    progress.failed(error)
                else:
                    failures.reset()
                    progress.polled(poll)
                    if poll.done:
                        state = {"state": self.state} if self.state else {}
                        return {"status": "done", **poll.result, **state}
                if clock().time() >= self._end:
                    return self._timeout(progress)
                pause = self._pause() * random.uniform(0.9, 1.1)  # noqa: S311

    def _pause(self) -> float:
        if not self.exponential_backoff:
            return self.poll_interval
        # Depends on the time alone, so that a restarted triggerer continues with the same pauses.
        pause = self.poll_interval + max(clock().time() - self.started, 0)
        return pause if self.max_wait is None else min(pause, self.max_wait)

    @property
    def _end(self) -> float:
        return end_of_wait(self.deadline, self.execution_deadline)[0]

    def _timeout(self, progress: Progress) -> dict[str, Any]:
        _, at_execution_timeout = end_of_wait(self.deadline, self.execution_deadline)
        return {
            **{name: value for name, value in vars(self.condition()).items() if name in self.own_arguments},
            "status": "timeout",
            "message": progress.timeout_message(),
            "execution_timeout": at_execution_timeout,
        }


def _import_shared_hook() -> SharedHook:
    import airflow_provider_retell.hooks.aiohttp_transport  # noqa: F401 - the hook imports it when it opens
    from airflow_provider_retell.hooks.shared import shared_hook

    return shared_hook
