"""The lists of test cases, batch tests and test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.paging import page
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes
from airflow_provider_retell.emulator.simulations.backend import same_engine, visible
from airflow_provider_retell.emulator.simulations.endpoints import batch_view, find_engine
from airflow_provider_retell.emulator.simulations.vocabulary import ENGINE_IDS

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ = ("testing", "read")


@ROUTES.add("GET", "/v2/list-test-case-definitions", _READ)
def list_test_case_definitions(org: Organization, request: Request) -> Response:
    """Return one page of the test cases of a response engine, newest first, which is our guess."""
    engine = _engine(request.query)
    find_engine(org, engine)
    cases = [
        visible(case) for case in org.test_case_backend.all() if same_engine(engine, case["response_engine"])
    ]
    return _page(cases, "test_case_definition_id", request.query)


@ROUTES.add("GET", "/v2/list-batch-tests", _READ)
def list_batch_tests(org: Organization, request: Request) -> Response:
    """Return one page of the batch tests of a version of a response engine, newest first, which is our guess."""
    engine = _engine(request.query)
    latest = find_engine(org, engine)["version"]
    version = request.query.get("version", str(latest))
    if not version.isdigit():
        raise ApiError(400, "query/version must be integer")
    batches = [
        batch_view(batch)
        for batch in org.batch_test_backend.all()
        if same_engine(engine, batch["response_engine"])
        and _version_of(batch, latest) == int(version)
        and _is_listed(org, batch)
    ]
    return _page(batches, "test_case_batch_job_id", request.query)


@ROUTES.add("GET", "/v2/list-test-runs/{test_case_batch_job_id}", _READ)
def list_test_runs(org: Organization, request: Request) -> Response:
    """Return one page of the test runs of a batch test."""
    batch = org.batch_test_backend.find(request.ids["test_case_batch_job_id"])
    shown_from = batch["user_modified_timestamp"] + org.options.test_run_list_delay * 1000
    is_late = batch["status"] == "complete" and org.options.clock.now_ms() < shown_from
    runs = [_unfinished(run) if is_late else run for run in batch["runs"]]
    return _page(runs, "test_case_job_id", request.query)


def _unfinished(run: dict[str, Any]) -> dict[str, Any]:
    hidden = ("result_explanation", "transcript_snapshot")
    return {name: value for name, value in run.items() if name not in hidden} | {"status": "in_progress"}


def _engine(query: dict[str, str]) -> dict[str, Any]:
    kind = query.get("type", "")
    if kind not in ENGINE_IDS:
        raise ApiError(400, f"query/type must be equal to one of the allowed values: {', '.join(ENGINE_IDS)}")
    name = ENGINE_IDS[kind]
    if not query.get(name):
        raise ApiError(400, f"query must have required property '{name}'")
    return {"type": kind, name: query[name]}


def _version_of(batch: dict[str, Any], latest: int) -> float:
    return float(batch["response_engine"].get("version", latest))


def _is_listed(org: Organization, batch: dict[str, Any]) -> bool:
    age = org.options.clock.now_ms() - batch["creation_timestamp"]
    return bool(age >= org.options.batch_test_list_delay * 1000)


def _page(objects: list[dict[str, Any]], id_name: str, query: dict[str, str]) -> Response:
    by_id = {item[id_name]: item for item in objects}
    order = {object_id: float(number) for number, object_id in enumerate(by_id)}
    items, rest = page(by_id, query, order=lambda item: order[item[id_name]])
    return json_response(200, {"items": items, **rest})
