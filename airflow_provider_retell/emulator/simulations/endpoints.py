"""The endpoints that create, read, change and delete test cases, batch tests and test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes
from airflow_provider_retell.emulator.simulations import bodies
from airflow_provider_retell.emulator.simulations.backend import visible
from airflow_provider_retell.emulator.simulations.vocabulary import ENGINE_IDS

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ, _EDIT = ("testing", "read"), ("testing", "edit")


@ROUTES.add("POST", "/create-test-case-definition", _EDIT, bodies.CREATE_TEST_CASE)
def create_test_case_definition(org: Organization, request: Request) -> Response:
    """Create a test case. Names need not be unique."""
    find_engine(org, request.body["response_engine"])
    return json_response(201, visible(org.test_case_backend.add(**request.body)))


@ROUTES.add("PUT", "/update-test-case-definition/{test_case_definition_id}", _EDIT, bodies.UPDATE_TEST_CASE)
def update_test_case_definition(org: Organization, request: Request) -> Response:
    """Change the fields in the body; see ``Options.test_case_update_semantics`` for the others."""
    backend = org.test_case_backend
    case_id = backend.find(request.ids["test_case_definition_id"])["test_case_definition_id"]
    replaces = org.options.test_case_update_semantics == "replace"
    absent: dict[str, Any] = {"dynamic_variables": {}, "tool_mocks": []} if replaces else {}
    return json_response(200, visible(backend.edit(case_id, **{**absent, **request.body})))


@ROUTES.add("GET", "/get-test-case-definition/{test_case_definition_id}", _READ)
def get_test_case_definition(org: Organization, request: Request) -> Response:
    """Return a test case."""
    return json_response(200, visible(org.test_case_backend.find(request.ids["test_case_definition_id"])))


@ROUTES.add("DELETE", "/delete-test-case-definition/{test_case_definition_id}", _EDIT)
def delete_test_case_definition(org: Organization, request: Request) -> Response:
    """Delete a test case. Its runs remain."""
    case = org.test_case_backend.find(request.ids["test_case_definition_id"])
    del org.test_case_backend.objects[case["test_case_definition_id"]]
    return Response(204)


@ROUTES.add("POST", "/create-batch-test", _EDIT, bodies.CREATE_BATCH_TEST)
def create_batch_test(org: Organization, request: Request) -> Response:
    """Start a batch test, or respond with 402 if the organization has no credit."""
    body: dict[str, Any] = request.body
    backend = org.batch_test_backend
    if backend.simulator.credit == 0:
        raise ApiError(402, "Credit balance exhausted")
    for case_id in body["test_case_definition_ids"]:
        org.test_case_backend.find(case_id)
    engine = {name: value for name, value in body["response_engine"].items() if value is not None}
    find_engine(org, engine)
    batch = backend.add(response_engine=engine, test_case_definition_ids=body["test_case_definition_ids"])
    return json_response(201, batch_view(batch))


@ROUTES.add("GET", "/get-batch-test/{test_case_batch_job_id}", _READ)
def get_batch_test(org: Organization, request: Request) -> Response:
    """Return the status and the counts of a batch test."""
    return json_response(200, batch_view(org.batch_test_backend.find(request.ids["test_case_batch_job_id"])))


@ROUTES.add("GET", "/get-test-run/{test_case_job_id}", _READ)
def get_test_run(org: Organization, request: Request) -> Response:
    """Return a test run."""
    return json_response(200, org.batch_test_backend.find_run(request.ids["test_case_job_id"]))


def find_engine(org: Organization, engine: dict[str, Any]) -> dict[str, Any]:
    """Return a version of a response engine, by default the latest, or raise the 404 for an unknown one."""
    backend = org.llm_backend if engine["type"] == "retell-llm" else org.flow_backend
    version = engine.get("version")
    return backend.find_version(engine[ENGINE_IDS[engine["type"]]], None if version is None else int(version))


def batch_view(batch: dict[str, Any]) -> dict[str, Any]:
    """Return a batch test as the API shows it, without its runs."""
    return {name: value for name, value in batch.items() if name != "runs"}
