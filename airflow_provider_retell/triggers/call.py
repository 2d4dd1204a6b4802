"""Triggers that wait for a call, or for the calls of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat.triggers import has_moved
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.choices import BatchUntil, Until
    from airflow_provider_retell.api.waits import Condition


class CallTrigger(PollTrigger):
    """Wait until a call has ended, or has an analysis.

    The event contains the call's ids, status, settings, times, cost and the keys of its metadata. The other parameters
    are those of :class:`~airflow_provider_retell.triggers.base.PollTrigger`. For example, in an operator of your own::

        import time

        from airflow_provider_retell.triggers import CallTrigger

        self.defer(
            trigger=CallTrigger(
                call_id="call_abc", retell_conn_id="retell_default", poll_interval=30, deadline=time.time() + 3600
            ),
            method_name="resume",
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html
    - API: https://docs.retellai.com/api-references/get-call

    :param call_id: the call.
    :param until: ``"ended"`` (default) waits for the end of the call, answered or not; ``"analyzed"`` waits for its
        analysis; ``"transfer_ended"`` waits for the end of the call, and of its transfer if there is one.
    :param stop_on_kill: True to hang up if a user clears the waiting task or marks it as failed. Airflow before 3.3
        does not notify triggers. Default: False.
    """

    def __init__(
        self, *, call_id: str, until: Until = "ended", stop_on_kill: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.until: Until = until
        self.stop_on_kill = stop_on_kill

    def parameters(self) -> dict[str, Any]:
        """Return the constructor's arguments that this class adds."""
        return {"call_id": self.call_id, "until": self.until, "stop_on_kill": self.stop_on_kill}

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import CallReached

        return CallReached(self.call_id, self.until)

    async def on_kill(self) -> None:
        """Hang up if ``stop_on_kill`` is set."""
        if not self.stop_on_kill:
            return
        if await has_moved(self):
            self.log.info(
                "Call %s: not hung up, because another triggerer seems to wait for it now", self.call_id
            )
            return
        from airflow_provider_retell.hooks.shared import shared_hook

        try:
            async with shared_hook(self.retell_conn_id) as hook:
                await hook.stop_call(self.call_id)
        except RetellError as error:
            self.log.warning(
                "Call %s could not be stopped: %s. Check whether it is still ongoing", self.call_id, error
            )


class BatchCallTrigger(PollTrigger):
    """Wait until all calls of a batch have ended, answered or not, or have an analysis.

    The event contains ``batch_call_id``, ``ended`` (the number of calls), ``cost_cents`` and ``calls_without_cost``,
    and with ``until="analyzed"`` also ``analyzed``. The other parameters are those of
    :class:`~airflow_provider_retell.triggers.base.PollTrigger`. For example, in an operator of your own::

        import time

        from airflow_provider_retell.triggers import BatchCallTrigger

        self.defer(
            trigger=BatchCallTrigger(
                batch_call_id="batch_abc",
                total_task_count=200,
                retell_conn_id="retell_default",
                poll_interval=60,
                deadline=time.time() + 6 * 3600,
            ),
            method_name="resume",
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html
    - API: https://docs.retellai.com/api-references/list-calls

    :param batch_call_id: the batch.
    :param total_task_count: the number of its calls, as in the response of create-batch-call.
    :param until: ``"ended"`` (default) waits for the end of all calls; ``"analyzed"`` waits for their analyses, except
        those of calls that never connected.
    """

    def __init__(
        self, *, batch_call_id: str, total_task_count: int, until: BatchUntil = "ended", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.batch_call_id = batch_call_id
        self.total_task_count = total_task_count
        self.until: BatchUntil = until

    def parameters(self) -> dict[str, Any]:
        """Return the constructor's arguments that this class adds."""
        return {
            "batch_call_id": self.batch_call_id,
            "total_task_count": self.total_task_count,
            "until": self.until,
        }

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import BatchReached

        return BatchReached(self.batch_call_id, self.total_task_count, self.until)
