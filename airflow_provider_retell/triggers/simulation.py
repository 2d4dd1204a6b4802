"""The trigger that waits for a batch test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition


class BatchTestTrigger(PollTrigger):
    """Wait until all test runs of a batch test have ended, whatever their verdict.

    The event contains ``batch_test_id``. The other parameters are those of
    :class:`~airflow_provider_retell.triggers.base.PollTrigger`. For example, in an operator of your own::

        import time

        from airflow_provider_retell.triggers import BatchTestTrigger

        self.defer(
            trigger=BatchTestTrigger(
                batch_test_id="test_batch_abc",
                retell_conn_id="retell_default",
                poll_interval=10,
                deadline=time.time() + 3600,
            ),
            method_name="resume",
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/simulations.html
    - API: https://docs.retellai.com/api-references/get-batch-test

    :param batch_test_id: the batch test (Retell: ``test_case_batch_job_id``).
    """

    own_arguments: ClassVar[tuple[str, ...]] = ("batch_test_id",)

    def __init__(self, *, batch_test_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_test_id = batch_test_id

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.simulations.waits import BatchTestEnded

        return BatchTestEnded(self.batch_test_id)
