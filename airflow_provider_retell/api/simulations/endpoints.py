"""The endpoints of simulation tests, each a function that checks its arguments and returns a :class:`Request`.

Field meanings: https://docs.retellai.com/api-references, one page per function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.body import build, build_changes
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.request import ObjectKind, Request, check_id, given, request_to
from airflow_provider_retell.api.simulations.bodies import (
    CreateBatchTest,
    CreateTestCaseDefinition,
    UpdateTestCaseDefinition,
)
from airflow_provider_retell.api.simulations.models import (
    BatchTest,
    BatchTestPage,
    TestCaseDefinition,
    TestCaseDefinitionPage,
    TestRun,
    TestRunPage,
)
from airflow_provider_retell.api.simulations.response_engine import Engine

_TEST_CASE = ObjectKind("test case", "test_case_definition_id")
_BATCH_TEST = ObjectKind("batch test", "test_case_batch_job_id")
_TEST_RUN = ObjectKind("test run", "test_case_job_id")


def create_test_case_definition(
    *,
    name: str,
    user_prompt: str,
    metrics: Sequence[str],
    response_engine: Mapping[str, Any],
    dynamic_variables: Mapping[str, str] | None = None,
    llm_model: str | None = None,
    tool_mocks: Sequence[Mapping[str, Any]] | None = None,
) -> Request[TestCaseDefinition]:
    """Create a test case. A second request would create a second test case with the same name.

    API: https://docs.retellai.com/api-references/create-test-case-definition

    :param name: the name. Retell does not require that it is unique.
    :param user_prompt: the prompt of the simulated user.
    :param metrics: the criteria that Retell grades the conversation by.
    :param response_engine: ``{"type": "retell-llm", "llm_id": ...}`` or ``{"type": "conversation-flow",
        "conversation_flow_id": ...}``.
    :param dynamic_variables: texts by name that fill the agent's prompts.
    :param llm_model: the model of the simulated user; Retell has a default.
    :param tool_mocks: fake responses of tools: ``tool_name``, ``input_match_rule``, ``output`` and maybe ``result``.
        A call of a tool that no mock matches goes to the real tool.
    :raises RetellInputError: if an argument is invalid.
    """
    fields = given(
        name=name,
        user_prompt=user_prompt,
        metrics=metrics,
        response_engine=response_engine,
        dynamic_variables=dynamic_variables,
        llm_model=llm_model,
        tool_mocks=tool_mocks,
    )
    path = "/create-test-case-definition"
    body = build(CreateTestCaseDefinition, "create-test-case-definition", fields)
    return request_to("POST", path, TestCaseDefinition.read, body=body, idempotent=False)


def update_test_case_definition(
    test_case_definition_id: str,
    *,
    name: str | None = None,
    user_prompt: str | None = None,
    metrics: Sequence[str] | None = None,
    response_engine: Mapping[str, Any] | None = None,
    dynamic_variables: Mapping[str, str] | None = None,
    llm_model: str | None = None,
    tool_mocks: Sequence[Mapping[str, Any]] | None = None,
) -> Request[TestCaseDefinition]:
    """Change the given fields of a test case.

    API: https://docs.retellai.com/api-references/update-test-case-definition

    :param test_case_definition_id: the test case. The other parameters are those of
        ``create_test_case_definition``; None leaves a field as it is.
    :raises RetellInputError: if an argument is invalid, or none is given.
    """
    fields = given(
        name=name,
        user_prompt=user_prompt,
        metrics=metrics,
        response_engine=response_engine,
        dynamic_variables=dynamic_variables,
        llm_model=llm_model,
        tool_mocks=tool_mocks,
    )
    return _TEST_CASE.request(
        "PUT",
        "/update-test-case-definition",
        test_case_definition_id,
        TestCaseDefinition.read,
        body=lambda operation: build_changes(UpdateTestCaseDefinition, operation, fields),
    )


def get_test_case_definition(test_case_definition_id: str) -> Request[TestCaseDefinition]:
    """Read one test case.

    API: https://docs.retellai.com/api-references/get-test-case-definition
    """
    return _TEST_CASE.request(
        "GET", "/get-test-case-definition", test_case_definition_id, TestCaseDefinition.read
    )


def delete_test_case_definition(test_case_definition_id: str) -> Request[None]:
    """Delete a test case.

    API: https://docs.retellai.com/api-references/delete-test-case-definition
    """
    return _TEST_CASE.request("DELETE", "/delete-test-case-definition", test_case_definition_id, no_result)


def list_test_case_definitions(
    response_engine: Mapping[str, Any], *, limit: int | None = None, pagination_key: str | None = None
) -> Request[TestCaseDefinitionPage]:
    """Read one page of the test cases of a response engine, whatever its version.

    API: https://docs.retellai.com/api-references/list-test-case-definitions

    :param response_engine: as in ``create_test_case_definition``.
    :param limit: test cases per page.
    :param pagination_key: the key from the previous page.
    :raises RetellInputError: if the engine is invalid.
    """
    engine = Engine.of(response_engine)
    query = {**engine.fields(version=False), "limit": limit, "pagination_key": pagination_key}
    path = "/v2/list-test-case-definitions"
    return request_to("GET", path, TestCaseDefinitionPage.read, subject=str(engine), query=query)


def create_batch_test(
    test_case_definition_ids: Sequence[str], response_engine: Mapping[str, Any]
) -> Request[BatchTest]:
    """Run test cases against a response engine. Retell charges for it, and calls real tools that have no mock.

    The request is sent again only if Retell certainly did not process it.

    API: https://docs.retellai.com/api-references/create-batch-test

    :param test_case_definition_ids: the test cases.
    :param response_engine: as in ``create_test_case_definition``. With a ``version``, drafts can be tested too.
    :raises RetellInputError: if an argument is invalid.
    """
    ids = [check_id(test_case_id, "test_case_definition_ids") for test_case_id in test_case_definition_ids]
    engine = Engine.of(response_engine)
    fields = {"test_case_definition_ids": ids, "response_engine": response_engine}
    return request_to(
        "POST",
        "/create-batch-test",
        BatchTest.read,
        body=build(CreateBatchTest, "create-batch-test", fields),
        idempotent=False,
        subject=str(engine),
    )


def get_batch_test(test_case_batch_job_id: str) -> Request[BatchTest]:
    """Read the status and the counts of a batch test.

    API: https://docs.retellai.com/api-references/get-batch-test
    """
    return _BATCH_TEST.request("GET", "/get-batch-test", test_case_batch_job_id, BatchTest.read)


def list_batch_tests(
    response_engine: Mapping[str, Any], *, limit: int | None = None, pagination_key: str | None = None
) -> Request[BatchTestPage]:
    """Read one page of the batch tests of a response engine.

    API: https://docs.retellai.com/api-references/list-batch-tests

    :param response_engine: as in ``create_test_case_definition``. Without a ``version``, Retell uses the latest.
    :param limit: batch tests per page.
    :param pagination_key: the key from the previous page.
    :raises RetellInputError: if the engine is invalid.
    """
    engine = Engine.of(response_engine)
    query = {**engine.fields(), "limit": limit, "pagination_key": pagination_key}
    return request_to("GET", "/v2/list-batch-tests", BatchTestPage.read, subject=str(engine), query=query)


def get_test_run(test_case_job_id: str) -> Request[TestRun]:
    """Read one test run, with its verdict, explanation and transcript.

    API: https://docs.retellai.com/api-references/get-test-run
    """
    return _TEST_RUN.request("GET", "/get-test-run", test_case_job_id, TestRun.read)


def list_test_runs(
    test_case_batch_job_id: str, *, limit: int | None = None, pagination_key: str | None = None
) -> Request[TestRunPage]:
    """Read one page of the test runs of a batch test.

    API: https://docs.retellai.com/api-references/list-test-runs

    :param test_case_batch_job_id: the batch test.
    :param limit: test runs per page.
    :param pagination_key: the key from the previous page.
    """
    return _BATCH_TEST.request(
        "GET",
        "/v2/list-test-runs",
        test_case_batch_job_id,
        TestRunPage.read,
        limit=limit,
        pagination_key=pagination_key,
    )
