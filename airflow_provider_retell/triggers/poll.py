"""What all waiting triggers share: ask again and again, until something is so or time is up.

A trigger's row in Airflow's database holds a connection id, what is waited for, and the deadline as epoch seconds, so
that a restarted triggerer goes on with the same deadline. Nothing secret, nothing about the people on the call.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook


class PollTrigger(BaseTrigger):
    """Poll Retell until :meth:`check` returns something, then send exactly one event.

    The event is ``{"status": "done", ...}`` with what :meth:`check` returned, or ``{"status": "timeout" | "error",
    "message": ...}``; ``"error"`` comes with ``"permanent"``.

    :param retell_conn_id: the Airflow connection, of type ``retell``.
    :param poll_interval: seconds between two polls; a tenth more or less, so that many waits spread out.
    :param deadline: epoch seconds at which waiting ends.
    :param max_poll_failures: how many polls in a row may fail before waiting ends in an error.
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

    async def check(self, hook: RetellAsyncHook) -> Mapping[str, Any] | None:
        """Ask once; return what the event is to hold if the wait is over, else None."""
        raise NotImplementedError

    def waits_for(self) -> str:
        """Say what is waited for, for messages."""
        raise NotImplementedError

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the wait is over, and send one event."""
        yield TriggerEvent(await self._outcome())  # type: ignore[no-untyped-call, unused-ignore]

    async def _outcome(self) -> dict[str, Any]:
        # Imported when a trigger runs: reading a DAG file must not load the HTTP libraries.
        from airflow_provider_retell.api.errors import RetellError
        from airflow_provider_retell.hooks.shared import shared_hook

        failures = 0
        try:
            async with shared_hook(self.retell_conn_id) as hook:
                while True:
                    try:
                        found = await self.check(hook)
                        failures = 0
                    except RetellError as error:
                        failures += 1
                        if error.permanent or failures > self.max_poll_failures:
                            raise
                        self.log.warning("Poll %d in a row failed: %s", failures, error)
                        found = None
                    if found is not None:
                        return {"status": "done", **found}
                    left = self.deadline - time.time()
                    if left <= 0:
                        return {"status": "timeout", "message": f"Timed out: {self.waits_for()}"}
                    await asyncio.sleep(min(self.poll_interval * random.uniform(0.9, 1.1), left))  # noqa: S311
        except RetellError as error:
            times = f" ({failures} polls in a row failed)" if failures > 1 else ""
            message = f"Stopped waiting: {self.waits_for()}{times}: {error}"
            return {"status": "error", "permanent": error.permanent, "message": message}
