"""Wait until all test runs of a batch test have ended."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.simulations import endpoints
from airflow_provider_retell.api.simulations.listings import list_test_run_states
from airflow_provider_retell.api.simulations.models import BatchTest, TestRunState
from airflow_provider_retell.api.waits import Condition, Poll


@dataclass(frozen=True)
class BatchTestEnded(Condition):
    """A batch test is ``complete``, and all its test runs have a final status, whatever their verdict."""

    batch_test_id: str

    def __str__(self) -> str:
        return f"batch test {self.batch_test_id} to end"

    def poll(self) -> Flow[Poll]:
        """Read the batch test. Once it is complete, check that Retell lists a final status for each test run."""
        batch: BatchTest = yield endpoints.get_batch_test(self.batch_test_id)
        result = {"batch_test_id": self.batch_test_id}
        ended = sum(count or 0 for count in (batch.pass_count, batch.fail_count, batch.error_count))
        total = "" if batch.total_count is None else f" of {batch.total_count}"
        if not batch.is_complete:
            return Poll(False, f"{batch.status}, {ended}{total} test runs ended", result)
        runs: list[TestRunState] = yield from list_test_run_states(self.batch_test_id)
        ended = sum(run.has_ended for run in runs)
        done = ended == len(runs) and ended >= (batch.total_count or 1)
        return Poll(done, f"complete, {ended}{total} test runs ended", result)
