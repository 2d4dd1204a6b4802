"""Place phone calls: one, or a batch. They cost money and ring at somebody's, so nothing here dials twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.operators.at_most_once import (
    AtMostOnceOperator,
)
from airflow_provider_retell.params.masked import MaskedField, as_list
from airflow_provider_retell.params.phone_numbers import batch_target, phone_number
from airflow_provider_retell.params.timestamps import epoch_milliseconds

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.calls.models import BatchCall

__all__ = ["CreateBatchCallOperator"]

log = logging.getLogger(__name__)


class CreateBatchCallOperator(AtMostOnceOperator):
    """Place many phone calls with one request; returns the batch's id and size, for ``BatchCallSensor``.

    Retell has no idempotency key for batches, so the request is sent once: a try that ends without an answer fails
    the task for good, and a later try fails without sending if an earlier one may have sent the batch. On Airflow
    3.3 and later the task's state store knows whether one did, and a batch that Retell refused can be tried again;
    before, every later try counts as one that may have, a cleared one too. ``on_clear="resend"`` sends the batch again
    when the task is cleared.

    API: https://docs.retellai.com/api-references/create-batch-call

    :param from_number: a number of your organization, in E.164 form (templated).
    :param tasks: a list of dicts with ``to_number`` and, for each call, what create-phone-call takes:
        ``metadata``, ``retell_llm_dynamic_variables``, ``override_agent_id`` … (templated). Not logged or shown.
    :param name: what the dashboard shows (templated).
    :param trigger_timestamp: when to start: epoch milliseconds, or a datetime with a zone, or text of either; now if
        left out (templated). A template that renders to nothing fails the task, rather than call at once.
    :param reserved_concurrency: how many concurrent calls to keep free for others.
    :param call_time_window: when calls may start, such as ``{"windows": [{"start": 540, "end": 1020}], "timezone":
        "Europe/Berlin", "day": ["Monday"]}``: minutes since midnight, which a window cannot cross, and days by their
        English names. Without ``timezone`` Retell takes America/Los_Angeles, so give it.
    :param on_clear: what a deliberate clear of the task does: ``"skip"`` (default) never sends the batch again,
        ``"resend"`` does, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("from_number", "tasks", "name", "trigger_timestamp", "retell_conn_id")
    operator_extra_links = ()

    from_number = MaskedField()
    tasks = MaskedField()

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        tasks: Sequence[Mapping[str, Any]] | XComArg,
        name: str | None = None,
        trigger_timestamp: float | str | datetime | XComArg | None = None,
        reserved_concurrency: int | None = None,
        call_time_window: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.from_number = from_number
        self.tasks = tasks
        self.name = name
        self.trigger_timestamp = trigger_timestamp
        self._at_once = trigger_timestamp is None
        self.reserved_concurrency = reserved_concurrency
        self.call_time_window = call_time_window

    def work(self, context: Any) -> dict[str, Any]:
        """Send the batch, once."""
        from airflow_provider_retell.api.calls.endpoints import create_batch_call

        tasks = [batch_target(task, index) for index, task in enumerate(as_list(self.tasks, "tasks") or ())]
        timestamp = None
        if not self._at_once:
            timestamp = epoch_milliseconds(self.trigger_timestamp, "trigger_timestamp")
        request = create_batch_call(
            phone_number(self.from_number, "from_number"),
            tasks,
            name=self.name or None,
            trigger_timestamp=timestamp,
            reserved_concurrency=self.reserved_concurrency,
            call_time_window=self.call_time_window,
        )
        result = self.send_once(
            context,
            request,
            lambda answer: _batch(answer, len(tasks)),
            "Look for the batch in Retell's dashboard (Batch Call)",
        )
        log.info("Batch %s: %d calls accepted", result["batch_call_id"], result["total_task_count"])
        return result


def _batch(answer: BatchCall, sent: int) -> dict[str, Any]:
    count = sent if answer.total_task_count is None else int(answer.total_task_count)
    return {"batch_call_id": answer.batch_call_id, "total_task_count": count}
