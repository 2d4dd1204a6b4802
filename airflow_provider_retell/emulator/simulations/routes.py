"""The routes of the simulation endpoints."""

from __future__ import annotations

from airflow_provider_retell.emulator.routing import Route
from airflow_provider_retell.emulator.simulations import bodies, endpoints, listing

ROUTES = (
    Route(
        "create-test-case-definition",
        "POST",
        "/create-test-case-definition",
        endpoints.create_test_case_definition,
        ("testing", "edit"),
        schema=bodies.CREATE_TEST_CASE,
    ),
    Route(
        "update-test-case-definition",
        "PUT",
        "/update-test-case-definition/{test_case_definition_id}",
        endpoints.update_test_case_definition,
        ("testing", "edit"),
        schema=bodies.UPDATE_TEST_CASE,
    ),
    Route(
        "get-test-case-definition",
        "GET",
        "/get-test-case-definition/{test_case_definition_id}",
        endpoints.get_test_case_definition,
        ("testing", "read"),
    ),
    Route(
        "delete-test-case-definition",
        "DELETE",
        "/delete-test-case-definition/{test_case_definition_id}",
        endpoints.delete_test_case_definition,
        ("testing", "edit"),
    ),
    Route(
        "list-test-case-definitions",
        "GET",
        "/v2/list-test-case-definitions",
        listing.list_test_case_definitions,
        ("testing", "read"),
        limiter="list",
    ),
    Route(
        "create-batch-test",
        "POST",
        "/create-batch-test",
        endpoints.create_batch_test,
        ("testing", "edit"),
        schema=bodies.CREATE_BATCH_TEST,
    ),
    Route(
        "get-batch-test",
        "GET",
        "/get-batch-test/{test_case_batch_job_id}",
        endpoints.get_batch_test,
        ("testing", "read"),
    ),
    Route(
        "list-batch-tests",
        "GET",
        "/v2/list-batch-tests",
        listing.list_batch_tests,
        ("testing", "read"),
        limiter="list",
    ),
    Route(
        "get-test-run",
        "GET",
        "/get-test-run/{test_case_job_id}",
        endpoints.get_test_run,
        ("testing", "read"),
    ),
    Route(
        "list-test-runs",
        "GET",
        "/v2/list-test-runs/{test_case_batch_job_id}",
        listing.list_test_runs,
        ("testing", "read"),
        limiter="list",
    ),
)
