"""What all waiting triggers share: ask again and again, until something is so or time is up.

A trigger's row in Airflow's database holds a connection id, what is waited for, and the deadline as epoch seconds, so
that a restarted triggerer goes on with the same deadline. Nothing secret, nothing about the people on the call.
"""

from __future__ import annotations

import asyncio
import random
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

_LAST_LOOK_SECONDS = 30.0


class PollTrigger(BaseTrigger):
    """Poll Retell until the condition holds, then send exactly one event.

    The event is ``{"status": "done", ...}`` with the result of the poll, or ``{"status": "timeout" | "error",
    "message": ...}``; ``"error"`` comes with ``"permanent"``.

    :param retell_conn_id: the Airflow connection, of type ``retell``.
    :param poll_interval: seconds between two polls; a tenth more or less, so that many waits spread out.
    :param deadline: epoch seconds at which waiting ends, after a last look.
    :param max_poll_failures: how many polls in a row may fail; one more ends the wait in an error. An error that trying
        again cannot mend does so at once.
    """

    def __init__(
        self, retell_conn_id: str, poll_interval: float, deadline: float, max_poll_failures: int = 10
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.retell_conn_id = retell_conn_id
        self.poll_interval = poll_interval
        self.deadline = deadline
        self.max_poll_failures = max_poll_failures

    def parameters(self) -> dict[str, Any]:
        """Return the arguments of the constructor that a subclass adds."""
        return {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments of the constructor."""
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", {
            "retell_conn_id": self.retell_conn_id,
            "poll_interval": self.poll_interval,
            "deadline": self.deadline,
            "max_poll_failures": self.max_poll_failures,
            **self.parameters(),
        }

    @abstractmethod
    def condition(self) -> Condition:
        """Return the condition to wait for."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the wait is over, and send one event."""
        polling = asyncio.ensure_future(self._poll())
        try:
            # The last look at Retell may hang or queue for the quota: it does not hold the deadline up for long.
            left = max(self.deadline - time.time(), 0)
            await asyncio.wait([polling], timeout=left + _LAST_LOOK_SECONDS)
            event = polling.result() if polling.done() else self._timed_out()
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
        yield TriggerEvent(event)  # type: ignore[no-untyped-call, unused-ignore]

    async def _poll(self) -> dict[str, Any]:
        shared_hook = await asyncio.to_thread(_load)
        from airflow_provider_retell.hooks.reason import safe_reason
        from airflow_provider_retell.waiting.poll_failures import PollFailures, is_permanent

        hook, tolerance = None, PollFailures(self.max_poll_failures)
        # The task has just looked, and a restarted triggerer has many waits: the first looks are spread out.
        pause = self.poll_interval * random.random()  # noqa: S311
        async with AsyncExitStack() as stack:
            while True:
                left = self.deadline - time.time()
                await asyncio.sleep(max(min(pause, left), 0))
                pause = self.poll_interval * random.uniform(0.9, 1.1)  # noqa: S311
                try:
                    if hook is None:
                        hook = await stack.enter_async_context(shared_hook(self.retell_conn_id))
                    poll = await hook.run(self.condition().poll())
                except Exception as error:
                    if not tolerance.allows(error):
                        message = tolerance.verdict(error, str(self.condition()))
                        return {"status": "error", "permanent": is_permanent(error), "message": message}
                    self.log.warning("Poll failed, %d in a row: %s", tolerance.failures, safe_reason(error))
                else:
                    tolerance.reset()
                    if poll.done:
                        return {"status": "done", **poll.result}
                if time.time() >= self.deadline:
                    return self._timed_out()

    def _timed_out(self) -> dict[str, Any]:
        return {"status": "timeout", "message": f"Timed out waiting for {self.condition()}"}


def _load() -> Callable[[str], AbstractAsyncContextManager[RetellAsyncHook]]:
    """Import what a wait needs: not when a DAG file is read, and beside the event loop, as it takes a while."""
    import airflow_provider_retell.hooks.aiohttp_transport  # noqa: F401 - the hook imports it when it opens
    from airflow_provider_retell.hooks.shared import shared_hook

    return shared_hook
