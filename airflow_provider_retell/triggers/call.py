"""Wait for a call, for the calls of a batch, or for room to place more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_retell.triggers.poll import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

__all__ = ["BatchCallTrigger", "CallTrigger", "ConcurrencyTrigger"]

Until = Literal["ended", "analyzed"]


class CallTrigger(PollTrigger):
    """Wait until a call has ended, or until its analysis is there.

    A status that this package does not know does not end the wait. The event has ``call_id`` and ``call_status``.

    :param call_id: the call.
    :param until: ``"ended"``: whether anybody answered or not; ``"analyzed"``: ``call_analysis`` is there.
    :param stop_on_kill: hang the call up if a user marks the waiting task failed or clears it (Airflow 3.3; older
        ones never say so to a trigger).
    """

    def __init__(
        self, *, call_id: str, until: Until = "ended", stop_on_kill: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.until = until
        self.stop_on_kill = stop_on_kill

    def parameters(self) -> dict[str, Any]:
        """Return the call and what is waited for."""
        return {"call_id": self.call_id, "until": self.until, "stop_on_kill": self.stop_on_kill}

    def waits_for(self) -> str:
        """Say what is waited for."""
        return f"call {self.call_id} was to be {self.until}"

    async def check(self, hook: RetellAsyncHook) -> Mapping[str, Any] | None:
        """Read the call."""
        from airflow_provider_retell.api.endpoints import get_call
        from airflow_provider_retell.api.models import CallProgress

        # Nothing else of the call is read: a long transcript would hold up the other triggers.
        call = await hook.send(get_call(self.call_id).read_by(CallProgress.read))
        done = call.has_ended if self.until == "ended" else call.is_analyzed
        return {"call_id": self.call_id, "call_status": call.call_status} if done else None

    async def on_kill(self) -> None:
        """Hang up, if that was asked for."""
        if not self.stop_on_kill:
            return
        from airflow_provider_retell.api.errors import RetellError
        from airflow_provider_retell.hooks.shared import shared_hook

        try:
            async with shared_hook(self.retell_conn_id) as hook:
                await hook.stop_call(self.call_id)
        except RetellError as error:
            self.log.warning("Call %s could not be stopped: %s", self.call_id, error)


class BatchCallTrigger(PollTrigger):
    """Wait until all calls of a batch have ended. The event has ``batch_call_id`` and ``ended``.

    :param batch_call_id: the batch.
    :param total: how many calls it has, as create-batch-call answered (``total_task_count``).
    """

    def __init__(self, *, batch_call_id: str, total: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_call_id = batch_call_id
        self.total = total

    def parameters(self) -> dict[str, Any]:
        """Return the batch and its size."""
        return {"batch_call_id": self.batch_call_id, "total": self.total}

    def waits_for(self) -> str:
        """Say what is waited for."""
        return f"{self.total} calls of batch {self.batch_call_id} were to end"

    async def check(self, hook: RetellAsyncHook) -> Mapping[str, Any] | None:
        """Count the calls that have ended."""
        from airflow_provider_retell.api.batch import ended_calls

        ended = await hook.run(ended_calls(self.batch_call_id))
        return {"batch_call_id": self.batch_call_id, "ended": ended} if ended >= self.total else None


class ConcurrencyTrigger(PollTrigger):
    """Wait until the organization has room for more calls. The event has ``room``.

    :param calls: for how many.
    """

    def __init__(self, *, calls: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls = calls

    def parameters(self) -> dict[str, Any]:
        """Return for how many calls."""
        return {"calls": self.calls}

    def waits_for(self) -> str:
        """Say what is waited for."""
        return f"there was to be room for {self.calls} more calls"

    async def check(self, hook: RetellAsyncHook) -> Mapping[str, Any] | None:
        """Ask for the room."""
        from airflow_provider_retell.api.room import room_for

        room = await hook.run(room_for(self.calls))
        return {"room": room} if room >= self.calls else None
