"""A trigger that waits until more calls can be placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition


class ConcurrencyTrigger(PollTrigger):
    """Wait until the organization can have more outbound calls at once.

    The event contains ``available``, the number of calls that can be placed. The other parameters are those of
    :class:`~airflow_provider_retell.triggers.base.PollTrigger`. For example, in an operator of your own::

        import time

        from airflow_provider_retell.triggers import ConcurrencyTrigger

        self.defer(
            trigger=ConcurrencyTrigger(
                calls=10, retell_conn_id="retell_default", poll_interval=60, deadline=time.time() + 3600
            ),
            method_name="resume",
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/wait.html
    - API: https://docs.retellai.com/api-references/get-concurrency

    :param calls: the number of calls.
    """

    own_arguments: ClassVar[tuple[str, ...]] = ("calls",)

    def __init__(self, *, calls: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls = calls

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.organization.waits import ConcurrencyAvailable

        return ConcurrencyAvailable(self.calls)
