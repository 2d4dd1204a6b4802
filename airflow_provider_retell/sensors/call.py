"""Sensors: wait for a call, for the calls of a batch, or for room to place more.

All are deferrable: with ``deferrable=True`` (or ``[operators] default_deferrable``) the wait costs no worker slot.
``poke_interval`` and ``timeout``, in seconds, are those of every Airflow sensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import (
    BaseOperatorLink,
)
from airflow_provider_retell.links.retell import RetellCallLink, link_call
from airflow_provider_retell.params.rendered import as_id
from airflow_provider_retell.sensors.base import RetellSensor, as_whole_number

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.choices import Until
    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.triggers.base import PollTrigger

__all__ = ["BatchCallSensor", "CallSensor"]


class CallSensor(RetellSensor):
    """Wait until a call has ended, or until its analysis is there; returns the call's slim form.

    :param call_id: the call (templated).
    :param until: ``"ended"``: whether anybody answered or not; ``"analyzed"``: ``call_analysis`` is there, some
        seconds to minutes later.
    """

    template_fields: Sequence[str] = ("call_id", "retell_conn_id")
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(self, *, call_id: str | XComArg, until: Until = "ended", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if until not in ("ended", "analyzed"):
            raise ValueError(f"until is 'ended' or 'analyzed', not {until!r}")
        self.call_id = call_id
        self.until: Until = until

    def execute(self, context: Any) -> Any:
        """Wait; the link to the call stands on the task from the start."""
        with self._judging():
            link_call(context, as_id(self.call_id, "call_id"))
        return super().execute(context)

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import CallReached

        return CallReached(as_id(self.call_id, "call_id"), self.until)

    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for the call."""
        from airflow_provider_retell.triggers.call import CallTrigger

        return CallTrigger(call_id=as_id(self.call_id, "call_id"), until=self.until, **common)


class BatchCallSensor(RetellSensor):
    """Wait until all calls of a batch have ended, whether anybody answered or not.

    A task of the batch that never becomes a call (a number that Retell refuses) is waited for until ``timeout``.

    :param batch_call_id: the batch (templated).
    :param total: how many calls it has: ``total_task_count`` of what CreateBatchCallOperator returned (templated).
    """

    template_fields: Sequence[str] = ("batch_call_id", "total", "retell_conn_id")

    def __init__(self, *, batch_call_id: str | XComArg, total: int | str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_call_id: Any = batch_call_id  # an XComArg is its value by the time it is used
        self.total: Any = total

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import BatchEnded
        from airflow_provider_retell.api.errors import RetellInputError

        total = as_whole_number(self.total, "total")
        if total < 1:
            raise RetellInputError("total must be 1 or more: a batch has at least one call")
        return BatchEnded(self.batch_call_id, total)

    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for the batch."""
        from airflow_provider_retell.triggers.call import BatchCallTrigger

        return BatchCallTrigger(batch_call_id=self.batch_call_id, total=int(self.total), **common)
