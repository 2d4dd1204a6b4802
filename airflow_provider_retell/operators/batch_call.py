"""The operator that places many phone calls with one request."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import (
    as_epoch_milliseconds,
    as_list,
    as_phone_number,
    is_empty,
)

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import BatchCall


log = logging.getLogger(__name__)


class CreateBatchCallOperator(AtMostOnceOperator):
    """Place many phone calls with one request.

    ::

        from airflow_provider_retell.operators import CreateBatchCallOperator

        CreateBatchCallOperator(
            task_id="call_all",
            from_number="{{ var.value.retell_number }}",
            tasks="{{ ti.xcom_pull('pick_customers') }}",
        )

    Retell has no idempotency key for batches, so the request is sent at most once. If it is unknown whether Retell
    processed it, this try and all later ones fail. On Airflow 3.3 and later, the task's state store knows that a batch
    was rejected, and a later try can send it. Before, every later try fails, until a user clears the task with
    ``on_clear="resend"``.

    The task returns ``batch_call_id`` and ``total_task_count``, the parameters of ``BatchCallSensor``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/placing.html
    - API: https://docs.retellai.com/api-references/create-batch-call

    :param from_number: a number of your organization, in E.164 format (templated).
    :param tasks: a list of dicts with ``to_number`` and, for each call, the fields of create-phone-call: ``metadata``,
        ``retell_llm_dynamic_variables``, ``override_agent_id`` and others (templated). Neither logged nor shown.
    :param name: the name of the batch in the dashboard (templated).
    :param trigger_timestamp: the start: epoch milliseconds, a datetime with a time zone, or the text of either
        (templated). Default: now. An empty value is an error, so that it does not start the calls at once.
    :param reserved_concurrency: the number of concurrent calls to keep free for other use.
    :param call_time_window: the hours in which calls may start, for example ``{"windows": [{"start": 540, "end":
        1020}], "timezone": "Europe/Berlin", "day": ["Monday"]}``: minutes since midnight, which a window cannot cross,
        and English names of days. Set ``timezone``: Retell's default is America/Los_Angeles.
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the batch is not sent again.
        ``"resend"``: it is sent again, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :raises AirflowFailException: if the input is invalid (nothing was sent), Retell rejects the batch, or it is unknown
        whether Retell processed it.
    """

    template_fields: Sequence[str] = ("from_number", "tasks", "name", "trigger_timestamp", "retell_conn_id")
    masked_fields: Sequence[str] = ("from_number", "tasks")

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        tasks: Sequence[Mapping[str, Any]] | str | XComArg,
        name: str | None = None,
        trigger_timestamp: float | str | datetime | XComArg | None = None,
        reserved_concurrency: int | None = None,
        call_time_window: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if reserved_concurrency is not None:
            checks.whole_number("reserved_concurrency", reserved_concurrency, 0)
        checks.mapping(call_time_window=call_time_window)
        self.from_number = from_number
        self.tasks = tasks
        self.name = name
        self.trigger_timestamp = trigger_timestamp
        self.reserved_concurrency = reserved_concurrency
        self.call_time_window = call_time_window

    def work(self, context: Context) -> dict[str, Any]:
        """Send the batch, once."""
        from airflow_provider_retell.api.calls.endpoints import create_batch_call

        tasks = [_task(task, index) for index, task in enumerate(as_list(unmask(self.tasks), "tasks"))]
        request = create_batch_call(
            as_phone_number(unmask(self.from_number), "from_number"),
            tasks,
            name=None if is_empty(self.name) else str(self.name),
            trigger_timestamp=self.rendered("trigger_timestamp", as_epoch_milliseconds),
            reserved_concurrency=self.reserved_concurrency,
            call_time_window=self.call_time_window,
        )
        result = self.send_once(
            context,
            request,
            lambda response: _result(response, len(tasks)),
            "Check whether Retell's dashboard shows the batch (Batch Call)",
        )
        log.info("Batch %s: %d calls accepted", result["batch_call_id"], result["total_task_count"])
        return result


def _task(task: Any, index: int) -> Any:
    """Return a task of the batch with its number as text: native rendering turns it into a number without the '+'."""
    if not isinstance(task, Mapping) or "to_number" not in task:
        return task  # the request's own checks reject it
    only_e164 = not task.get("ignore_e164_validation")
    number = as_phone_number(task["to_number"], f"tasks[{index}].to_number", only_e164=only_e164)
    return {**task, "to_number": number}


def _result(response: BatchCall, sent: int) -> dict[str, Any]:
    count = sent if response.total_task_count is None else int(response.total_task_count)
    return {"batch_call_id": response.batch_call_id, "total_task_count": count}
