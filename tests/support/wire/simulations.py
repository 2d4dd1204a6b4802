"""Examples of the endpoints of simulation tests."""

from __future__ import annotations

from airflow_provider_retell.api.simulations.models import (
    BatchTest,
    BatchTestPage,
    TestCaseDefinition,
    TestCaseDefinitionPage,
    TestRun,
    TestRunPage,
)
from wire import Example

LLM = {"type": "retell-llm", "llm_id": "llm_1"}
FLOW = {"type": "conversation-flow", "conversation_flow_id": "conversation_flow_1"}
MOCK = {"tool_name": "book", "input_match_rule": {"type": "any"}, "output": "{}", "result": True}
PARTIAL = {**MOCK, "input_match_rule": {"type": "partial_match", "args": {"day": 1}}}
CASE = {"name": "Pays", "user_prompt": "Pay {{sum}}.", "metrics": ["Pays."], "response_engine": FLOW}

EXAMPLES = [
    Example(
        "create_test_case_definition",
        (),
        CASE,
        "POST /create-test-case-definition",
        CASE,
        201,
        TestCaseDefinition,
        sent_once=True,
    ),
    Example(
        "create_test_case_definition",
        (),
        {**CASE, "dynamic_variables": {"sum": "3"}, "llm_model": "gpt-5", "tool_mocks": [MOCK, PARTIAL]},
        "POST /create-test-case-definition",
        {**CASE, "dynamic_variables": {"sum": "3"}, "llm_model": "gpt-5", "tool_mocks": [MOCK, PARTIAL]},
        201,
        TestCaseDefinition,
        sent_once=True,
    ),
    Example(
        "update_test_case_definition",
        ("test_case_1",),
        {"tool_mocks": []},
        "PUT /update-test-case-definition/test_case_1",
        {"tool_mocks": []},
        200,
        TestCaseDefinition,
    ),
    Example(
        "get_test_case_definition",
        ("test_case_1",),
        {},
        "GET /get-test-case-definition/test_case_1",
        None,
        200,
        TestCaseDefinition,
    ),
    Example(
        "delete_test_case_definition",
        ("test_case_1",),
        {},
        "DELETE /delete-test-case-definition/test_case_1",
        None,
        204,
        None,
    ),
    Example(
        "list_test_case_definitions_page",
        ({**LLM, "version": 1},),
        {"limit": 5},
        "GET /v2/list-test-case-definitions?type=retell-llm&llm_id=llm_1&limit=5",
        None,
        200,
        TestCaseDefinitionPage,
    ),
    Example(
        "create_batch_test",
        (["test_case_1"], {**LLM, "version": 1}),
        {},
        "POST /create-batch-test",
        {"test_case_definition_ids": ["test_case_1"], "response_engine": {**LLM, "version": 1}},
        201,
        BatchTest,
        sent_once=True,
    ),
    Example(
        "get_batch_test", ("test_batch_1",), {}, "GET /get-batch-test/test_batch_1", None, 200, BatchTest
    ),
    Example(
        "list_batch_tests_page",
        (FLOW,),
        {},
        "GET /v2/list-batch-tests?type=conversation-flow&conversation_flow_id=conversation_flow_1",
        None,
        200,
        BatchTestPage,
    ),
    Example(
        "list_batch_tests_page",
        ({**LLM, "version": 1},),
        {"limit": 5},
        "GET /v2/list-batch-tests?type=retell-llm&llm_id=llm_1&version=1&limit=5",
        None,
        200,
        BatchTestPage,
    ),
    Example("get_test_run", ("test_run_1",), {}, "GET /get-test-run/test_run_1", None, 200, TestRun),
    Example(
        "list_test_runs_page",
        ("test_batch_1",),
        {"limit": 5},
        "GET /v2/list-test-runs/test_batch_1?limit=5",
        None,
        200,
        TestRunPage,
    ),
]
