"""The lists of test cases, batch tests and test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.paging import cut, walk
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.simulations.backend import same_engine, visible
from airflow_provider_retell.emulator.simulations.endpoints import batch_view
from airflow_provider_retell.emulator.simulations.vocabulary import ENGINE_IDS

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization
    from airflow_provider_retell.emulator.routing import Request

DEFAULT_PAGE = 50
MAX_PAGE = 1000
"""The default and the maximum of ``limit`` are our guess."""


def list_test_case_definitions(org: Organization, request: Request) -> Response:
    """Return one page of the test cases of a response engine, newest first, which is our guess."""
    engine = _engine(request.query)
    cases = [
        visible(case) for case in org.test_case_backend.all() if same_engine(engine, case["response_engine"])
    ]
    return _page(cases, "test_case_definition_id", request.query)


def list_batch_tests(org: Organization, request: Request) -> Response:
    """Return one page of the batch tests of a version of a response engine, newest first, which is our guess."""
    engine = _engine(request.query)
    batches = [
        batch
        for batch in org.batch_test_backend.all()
        if same_engine(engine, batch["response_engine"]) and _is_listed(org, batch)
    ]
    version = _version(request.query, batches)
    chosen = [batch_view(batch) for batch in batches if _version_of(batch) == version]
    return _page(chosen, "test_case_batch_job_id", request.query)


def list_test_runs(org: Organization, request: Request) -> Response:
    """Return one page of the test runs of a batch test."""
    batch = org.batch_test_backend.find(request.ids["test_case_batch_job_id"])
    delay = org.options.test_run_list_delay
    runs = [
        run if org.options.clock.now() >= run["user_modified_timestamp"] / 1000 + delay else _unfinished(run)
        for run in batch["runs"]
    ]
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


def _version(query: dict[str, str], batches: list[dict[str, Any]]) -> float:
    """Return the version in the query, or the latest that was tested."""
    if "version" in query:
        try:
            return float(query["version"])
        except ValueError:
            raise ApiError(400, "query/version must be number") from None
    return max(map(_version_of, batches), default=0)


def _version_of(batch: dict[str, Any]) -> float:
    return float(batch["response_engine"].get("version") or 0)


def _is_listed(org: Organization, batch: dict[str, Any]) -> bool:
    age = org.options.clock.now() - batch["creation_timestamp"] / 1000
    return bool(age >= org.options.batch_test_list_delay)


def _page(objects: list[dict[str, Any]], id_name: str, query: dict[str, str]) -> Response:
    try:
        limit = int(query.get("limit", DEFAULT_PAGE))
    except ValueError:
        raise ApiError(400, "query/limit must be integer") from None
    if not 1 <= limit <= MAX_PAGE:
        raise ApiError(400, f"query/limit must be >= 1 and <= {MAX_PAGE}")
    by_id = {item[id_name]: item for item in objects}
    keys = sorted((item["creation_timestamp"], item[id_name]) for item in objects)
    page, cursor = cut(walk(keys, descending=True, cursor=query.get("pagination_key")), skip=0, limit=limit)
    body: dict[str, Any] = {"items": [by_id[key[1]] for key in page], "has_more": cursor is not None}
    if cursor is not None:
        body["pagination_key"] = cursor
    return json_response(200, body)
