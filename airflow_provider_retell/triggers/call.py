"""Wait for a call, or for the calls of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.choices import Until
    from airflow_provider_retell.api.waits import Condition

__all__ = ["BatchCallTrigger", "CallTrigger"]


class CallTrigger(PollTrigger):
    """Wait until a call has ended, or has an analysis.

    The event has the call's ids, status, settings, times and the keys of its metadata.

    :param call_id: the call.
    :param until: ``"ended"``: answered or not; ``"analyzed"``: the call has an analysis.
    :param stop_on_kill: True to hang up if a user marks the waiting task as failed or clears it. Airflow before 3.3
        does not notify triggers.
    """

    def __init__(
        self, *, call_id: str, until: Until = "ended", stop_on_kill: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.until: Until = until
        self.stop_on_kill = stop_on_kill

    def parameters(self) -> dict[str, Any]:
        """Return the arguments that this class adds."""
        return {"call_id": self.call_id, "until": self.until, "stop_on_kill": self.stop_on_kill}

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import CallReached

        return CallReached(self.call_id, self.until)

    async def on_kill(self) -> None:
        """Hang up if ``stop_on_kill`` is set."""
        if not self.stop_on_kill:
            return
        from airflow_provider_retell.hooks.shared import shared_hook

        try:
            async with shared_hook(self.retell_conn_id) as hook:
                await hook.stop_call(self.call_id)
        except RetellError as error:
            self.log.warning("Call %s could not be stopped: %s", self.call_id, error)


class BatchCallTrigger(PollTrigger):
    """Wait until all calls of a batch have ended. The event has ``batch_call_id`` and ``ended``.

    :param batch_call_id: the batch.
    :param total: the number of its calls, ``total_task_count`` in the response of create-batch-call.
    """

    def __init__(self, *, batch_call_id: str, total: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_call_id = batch_call_id
        self.total = total

    def parameters(self) -> dict[str, Any]:
        """Return the arguments that this class adds."""
        return {"batch_call_id": self.batch_call_id, "total": self.total}

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import BatchEnded

        return BatchEnded(self.batch_call_id, self.total)
