"""A sensor that waits until more calls can be placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_whole_number
from airflow_provider_retell.sensors.base import RetellSensor

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.triggers.base import PollTrigger


class ConcurrencySensor(RetellSensor):
    """Wait until the organization can have more outbound calls at once; return their number as ``available``.

    ::

        from airflow_provider_retell.sensors import ConcurrencySensor

        ConcurrencySensor(task_id="wait", calls=10, deferrable=True, timeout=3600)

    The sensor reserves nothing: calls from elsewhere may start before yours. If the organization's limit is lower than
    ``calls``, the task fails at once.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html
    - API: https://docs.retellai.com/api-references/get-concurrency

    :param calls: the number of calls (templated). Default: 1.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``. ``mode`` has no effect then.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. With
        ``mode="reschedule"``, failures end the wait only with 0. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :param kwargs: the parameters of every Airflow sensor, for example ``poke_interval``, ``timeout``, ``mode`` and
        ``soft_fail``.
    :raises AirflowSensorTimeout: if the wait reached ``timeout``.
    :raises AirflowFailException: if a retry cannot help: the organization's limit is lower than ``calls``, or Retell
        rejects the API key.
    """

    template_fields: Sequence[str] = ("calls", *RetellSensor.template_fields)

    def __init__(self, *, calls: int | str | XComArg = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(calls, int):
            checks.whole_number("calls", calls, 0)
        self.calls = calls

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.organization.waits import ConcurrencyAvailable

        return ConcurrencyAvailable(as_whole_number(self.calls, "calls", minimum=0))

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger for this condition."""
        from airflow_provider_retell.triggers.concurrency import ConcurrencyTrigger

        return ConcurrencyTrigger
