"""Complete listings of simulation tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.paging import read_all
from airflow_provider_retell.api.request import Flow, Request
from airflow_provider_retell.api.response_model import Page
from airflow_provider_retell.api.simulations import endpoints
from airflow_provider_retell.api.simulations.models import (
    BatchTest,
    TestCaseDefinition,
    TestRun,
    TestRunState,
)


def list_test_case_definitions(response_engine: Mapping[str, Any]) -> Flow[list[TestCaseDefinition]]:
    """Read all test cases of a response engine, page by page.

    :param response_engine: ``{"type": "retell-llm", "llm_id": ...}`` or ``{"type": "conversation-flow",
        "conversation_flow_id": ...}``.
    """
    return read_all(endpoints.list_test_case_definitions, response_engine=response_engine)


def list_batch_tests(response_engine: Mapping[str, Any]) -> Flow[list[BatchTest]]:
    """Read all batch tests of a response engine, page by page.

    :param response_engine: as in ``list_test_case_definitions``. Without a ``version``, Retell uses the latest.
    """
    return read_all(endpoints.list_batch_tests, response_engine=response_engine)


def list_test_runs(test_case_batch_job_id: str) -> Flow[list[TestRun]]:
    """Read all test runs of a batch test, with verdicts, explanations and transcripts, page by page.

    :param test_case_batch_job_id: the batch test.
    """
    return read_all(endpoints.list_test_runs, test_case_batch_job_id=test_case_batch_job_id)


def list_test_run_states(test_case_batch_job_id: str) -> Flow[list[TestRunState]]:
    """Read ids and statuses of all test runs of a batch test. Transcripts are not parsed."""

    def page(**criteria: Any) -> Request[Page[TestRunState]]:
        return endpoints.list_test_runs(test_case_batch_job_id, **criteria).with_parser(
            Page[TestRunState].read
        )

    return read_all(page)
