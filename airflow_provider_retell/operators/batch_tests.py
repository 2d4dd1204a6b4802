"""The batch tests of one task run, each started at most once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.clock import clock
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator, SentRequests
from airflow_provider_retell.operators.same_request import check_same
from airflow_provider_retell.operators.task_try import CLOCK_SKEW, first_try_at

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.simulations.models import BatchTest
    from airflow_provider_retell.api.simulations.response_engine import Engine
    from airflow_provider_retell.operators.same_request import Subject

log = logging.getLogger(__name__)

# The number of searches in Retell's list, and the seconds between two of them.
_SEARCHES, _SEARCH_PAUSE = 4, 10.0


class BatchTests:
    """The batch tests that the tries of a task run have started.

    Batch tests have no idempotency key, no name and no metadata. If a response is lost, or if Airflow has no record of
    the requests of an earlier try, :meth:`start` searches Retell's list for a batch test of the same test cases and the
    same version of the response engine. It never starts a second one.

    :param task: the operator.
    :param context: the context of the try.
    """

    def __init__(self, task: AtMostOnceOperator, context: Context) -> None:
        self._task = task
        self._context = context
        self._sent = SentRequests(context, task)
        self._is_resumed = False

    @classmethod
    def resumed(cls, task: AtMostOnceOperator, context: Context, state: Mapping[str, Any]) -> BatchTests:
        """Return the batch tests after a deferred wait.

        :param state: the result of :meth:`state`.
        """
        batch_tests = cls(task, context)
        # The store has more if this continuation has run before, and started another batch test.
        batch_tests._sent.records = max(batch_tests._sent.records, list(state["batch_tests"]), key=len)
        batch_tests._sent.complete = state["complete"]
        batch_tests._is_resumed = True
        return batch_tests

    def state(self) -> dict[str, Any]:
        """Return ids and timestamps to continue with after a deferred wait."""
        return {"batch_tests": self._sent.records, "complete": self._sent.complete}

    @property
    def started(self) -> list[dict[str, Any]]:
        """The batch tests that were started, oldest first.

        Each has ``batch_test_id``, ``created`` (epoch milliseconds), ``engine``, and the facts of :meth:`start`.
        """
        return self._sent.results

    def check(self, subject: Subject) -> None:
        """Raise unless the first batch test was started for *subject*."""
        check_same(f"started batch test {self.ids[0]}", self._sent.records[0]["subject"], subject)

    @property
    def ids(self) -> list[str]:
        """The ids of the batch tests that were started, oldest first."""
        return [batch["batch_test_id"] for batch in self.started]

    def observe(self, batch_test_id: str) -> None:
        """Read a batch test if it is unknown whether an earlier try has started another one after it.

        While this one is running, no try can have started another one.
        """
        if not self._sent.complete and not self._task.hook.get_batch_test(batch_test_id).is_complete:
            self._sent.complete = True

    def start(
        self, engine: Engine, test_ids: Sequence[str], subject: Subject, facts: Mapping[str, Any]
    ) -> None:
        """Start a batch test, unless an earlier try may have started it.

        :param engine: the response engine.
        :param test_ids: the test cases.
        :param subject: the parameters that the batch test is started for.
        :param facts: values to store with the batch test.
        """
        from airflow_provider_retell.api.simulations.endpoints import create_batch_test

        def result(batch: BatchTest) -> dict[str, Any]:
            return {
                **facts,
                "engine": engine.fields(),
                "batch_test_id": batch.test_case_batch_job_id,
                "created": batch.creation_timestamp,
            }

        def find(sending_since: float | None, searches: int = _SEARCHES) -> dict[str, Any] | None:
            batch = self._find(engine, test_ids, sending_since, searches)
            return None if batch is None else result(batch)

        # Without a store, only Retell's list has a batch test that an earlier run of this continuation has started.
        if self._is_resumed and not self._sent.recorded and (found := find(None, searches=1)):
            self._sent.sent(subject, found)
            return
        started = self._task.send_once(
            self._context,
            create_batch_test(test_ids, engine.fields()),
            result,
            "Check whether Retell's dashboard shows the batch test (Simulation)",
            subject=subject,
            sent=self._sent,
            number=len(self.started),
            find=find,
        )
        log.info("Batch test %s runs, test cases: %d", started["batch_test_id"], len(test_ids))

    def _find(
        self, engine: Engine, test_ids: Sequence[str], sending_since: float | None, searches: int
    ) -> BatchTest | None:
        from airflow_provider_retell.api.simulations.search import find_batch_test

        earliest = self._earliest(sending_since)
        if earliest is None:
            return None
        for search in range(searches):
            if search:
                clock().sleep(_SEARCH_PAUSE)
            found = self._task.hook.run(
                find_batch_test(engine, test_ids, created_after=earliest, exclude=self.ids)
            )
            if found is not None:
                log.info("Found batch test %s, which this task has started", found.test_case_batch_job_id)
                return found
        return None

    def _earliest(self, sending_since: float | None) -> float | None:
        """Return the time in epoch milliseconds before which the batch test was not started, or None if unknown."""
        if self.started:
            created: float | None = self.started[-1]["created"]
            return created
        if sending_since is None:
            sending_since = first_try_at(self._context, self._task)
        return None if sending_since is None else (sending_since - CLOCK_SKEW) * 1000
