"""Sensors that wait for a call, or for the calls of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseOperatorLink
from airflow_provider_retell.api.choices import BATCH_UNTIL, UNTIL, BatchUntil, Until
from airflow_provider_retell.links.retell import RetellCallLink, link_call
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_id, as_whole_number
from airflow_provider_retell.sensors.base import RetellSensor

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.triggers.base import PollTrigger


class CallSensor(RetellSensor):
    """Wait until a call has ended, or has an analysis, and return its ids, status, times and cost.

    ::

        from airflow_provider_retell.sensors import CallSensor

        CallSensor(task_id="wait", call_id="{{ params.call_id }}", until="analyzed", deferrable=True, timeout=3600)

    The task links to the call in Retell's dashboard.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html
    - API: https://docs.retellai.com/api-references/get-call

    :param call_id: the call (templated).
    :param until: ``"ended"`` (default) waits for the end of the call, answered or not; ``"analyzed"`` waits for its
        ``call_analysis``, seconds to minutes later. The analysis covers the agent's part of the call, so it can arrive
        before a transferred call is over: ``"transfer_ended"`` waits for the end of the call, and of its transfer if
        there is one.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``: ``call_successful``,
        ``in_voicemail``, ``user_sentiment``, and keys of ``custom_analysis_data``. A field that the analysis lacks is
        None. The values are stored in Airflow's database. Requires ``until="analyzed"``. Default: none.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``. ``mode`` has no effect then.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. With
        ``mode="reschedule"``, failures end the wait only with 0. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :param kwargs: the parameters of every Airflow sensor, for example ``poke_interval``, ``timeout``, ``mode`` and
        ``soft_fail``.
    :raises AirflowSensorTimeout: if the wait reached ``timeout``.
    :raises AirflowFailException: if a retry cannot help: there is no such call, or Retell rejects the API key.
    """

    template_fields: Sequence[str] = ("call_id", *RetellSensor.template_fields)
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        until: Until = "ended",
        analysis_fields: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.one_of("until", until, UNTIL)
        self.analysis_fields = checks.analysis_fields(analysis_fields, until=until)
        self.call_id = call_id
        self.until: Until = until

    def execute(self, context: Context) -> Any:
        """Link the task to the call, then wait."""
        with self._airflow_errors():
            link_call(self, context, as_id(self.call_id, "call_id"))
        return super().execute(context)

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import CallReached

        return CallReached(as_id(self.call_id, "call_id"), self.until, self.analysis_fields)

    def trigger_arguments(self) -> dict[str, Any]:
        """Return the trigger's own arguments. The triggerer does not read the analysis."""
        arguments = super().trigger_arguments()
        del arguments["analysis_fields"]
        return arguments

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger for this condition."""
        from airflow_provider_retell.triggers.call import CallTrigger

        return CallTrigger


class BatchCallSensor(RetellSensor):
    """Wait until all calls of a batch have ended, answered or not, or have an analysis.

    The sensor returns ``batch_call_id``, ``ended`` (the number of calls), ``cost_cents`` (the sum of their costs, in US
    cents) and ``calls_without_cost`` (the number of calls that the sum does not cover), and with ``until="analyzed"``
    also ``analyzed``.

    ::

        from airflow_provider_retell.sensors import BatchCallSensor

        BatchCallSensor(
            task_id="wait",
            batch_call_id="{{ ti.xcom_pull('call_them')['batch_call_id'] }}",
            total_task_count="{{ ti.xcom_pull('call_them')['total_task_count'] }}",
            deferrable=True,
            timeout=6 * 3600,
        )

    A number that Retell rejects never becomes a call, so the sensor then waits until ``timeout``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html
    - API: https://docs.retellai.com/api-references/create-batch-call

    :param batch_call_id: the batch (templated).
    :param total_task_count: the number of its calls, which ``CreateBatchCallOperator`` returns (templated).
    :param until: ``"ended"`` (default) waits for the end of all calls; ``"analyzed"`` waits until all calls have a
        ``call_analysis``, except calls that never connected.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``. ``mode`` has no effect then.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. With
        ``mode="reschedule"``, failures end the wait only with 0. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :param kwargs: the parameters of every Airflow sensor, for example ``poke_interval``, ``timeout``, ``mode`` and
        ``soft_fail``.
    :raises AirflowSensorTimeout: if the wait reached ``timeout``.
    :raises AirflowFailException: if a retry cannot help: the input is invalid, or Retell rejects the API key.
    """

    template_fields: Sequence[str] = ("batch_call_id", "total_task_count", *RetellSensor.template_fields)

    def __init__(
        self,
        *,
        batch_call_id: str | XComArg,
        total_task_count: int | str | XComArg,
        until: BatchUntil = "ended",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.one_of("until", until, BATCH_UNTIL)
        if isinstance(total_task_count, int):
            checks.whole_number("total_task_count", total_task_count, 1)
        self.batch_call_id = batch_call_id
        self.total_task_count = total_task_count
        self.until: BatchUntil = until

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.calls.waits import BatchReached

        return BatchReached(
            as_id(self.batch_call_id, "batch_call_id"),
            as_whole_number(self.total_task_count, "total_task_count", minimum=1),
            self.until,
        )

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger for this condition."""
        from airflow_provider_retell.triggers.call import BatchCallTrigger

        return BatchCallTrigger
