"""Search for a batch test whose creation was not confirmed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.simulations.listings import list_batch_tests, list_test_run_states
from airflow_provider_retell.api.simulations.models import BatchTest
from airflow_provider_retell.api.simulations.response_engine import Engine


def find_batch_test(
    engine: Engine, test_ids: Sequence[str], *, created_after: float, exclude: Collection[str] = ()
) -> Flow[BatchTest | None]:
    """Return the first batch test that runs exactly *test_ids* against *engine*, or None.

    Batch tests have no name or metadata that could identify them.

    :param created_after: the earliest time of creation, in epoch milliseconds.
    :param exclude: ids of batch tests that are not meant.
    """
    batches: list[BatchTest] = yield from list_batch_tests(engine.fields())
    candidates = [
        batch
        for batch in batches
        if batch.test_case_batch_job_id not in exclude
        and (batch.creation_timestamp or 0) >= created_after
        and batch.total_count in (None, len(test_ids))
    ]
    for batch in sorted(candidates, key=lambda batch: batch.creation_timestamp or 0):
        runs = yield from list_test_run_states(batch.test_case_batch_job_id)
        if sorted(run.test_case_definition_id for run in runs) == sorted(test_ids):
            return batch
    return None
