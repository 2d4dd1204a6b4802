"""Test cases, batch tests and test runs as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-batch-test and the pages of the other endpoints.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict

from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = [
    "BatchTest",
    "BatchTestPage",
    "TestCaseDefinition",
    "TestCaseDefinitionPage",
    "TestRun",
    "TestRunPage",
]

FINAL_STATUSES = frozenset({"pass", "fail", "error"})
"""Values of a test run's ``status`` that are final. ``error`` means that there is no verdict."""


class TestCaseDefinition(ResponseModel):
    """A test case of a response engine. Names are not unique."""

    __test__: ClassVar[bool] = False  # not a test class for pytest
    identity: ClassVar[tuple[str, ...]] = ("test_case_definition_id", "name")
    loggable: ClassVar[tuple[str, ...]] = ("test_case_definition_id", "name")

    test_case_definition_id: str
    name: str
    user_prompt: str | None = None
    metrics: list[str] | None = None
    response_engine: dict[str, Any] | None = None
    dynamic_variables: dict[str, Any] | None = None
    llm_model: str | None = None
    tool_mocks: list[dict[str, Any]] | None = None
    user_modified_timestamp: int | float | None = None


class TestCaseDefinitionPage(Page[TestCaseDefinition]):
    """One page of list-test-case-definitions."""

    __test__: ClassVar[bool] = False


class BatchTest(ResponseModel):
    """A run of several test cases. ``complete`` means that all have ended, not that they have passed."""

    identity: ClassVar[tuple[str, ...]] = ("test_case_batch_job_id", "status")
    loggable: ClassVar[tuple[str, ...]] = ("test_case_batch_job_id", "status")

    test_case_batch_job_id: str
    status: str
    """``in_progress``, ``complete``, or a status that Retell adds later."""
    total_count: int | None = None
    pass_count: int | None = None
    fail_count: int | None = None
    error_count: int | None = None
    response_engine: dict[str, Any] | None = None
    creation_timestamp: int | float | None = None

    @property
    def is_complete(self) -> bool:
        """True if all test runs have ended."""
        return self.status == "complete"


class BatchTestPage(Page[BatchTest]):
    """One page of list-batch-tests."""


class TestRunState(ResponseModel):
    """The fields of a test run that waits need. Transcripts are not parsed."""

    __test__: ClassVar[bool] = False
    model_config = ConfigDict(extra="ignore")

    identity: ClassVar[tuple[str, ...]] = ("test_case_job_id", "status", "test_case_definition_id")
    loggable: ClassVar[tuple[str, ...]] = identity

    test_case_job_id: str
    status: str
    """``pending``, ``in_progress``, ``pass``, ``fail``, ``error``, or a status that Retell adds later."""
    test_case_definition_id: str

    @property
    def has_ended(self) -> bool:
        """True if the status is final."""
        return self.status in FINAL_STATUSES


class TestRun(TestRunState):
    """The run of one test case in a batch test, with its verdict."""

    __test__: ClassVar[bool] = False
    model_config = ConfigDict(extra="allow")

    result_explanation: str | None = None
    test_case_definition_snapshot: dict[str, Any] | None = None
    transcript_snapshot: Any = None
    creation_timestamp: int | float | None = None

    @property
    def name(self) -> str:
        """The name of the test case when the run started, or its id."""
        name = (self.test_case_definition_snapshot or {}).get("name")
        return name if isinstance(name, str) and name else self.test_case_definition_id


class TestRunPage(Page[TestRun]):
    """One page of list-test-runs."""

    __test__: ClassVar[bool] = False
