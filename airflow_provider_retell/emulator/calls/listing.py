"""POST /v3/list-calls: filter, sort and page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls import bodies
from airflow_provider_retell.emulator.calls.filters import FIELDS
from airflow_provider_retell.emulator.calls.store import ordered
from airflow_provider_retell.emulator.filters import take_ids
from airflow_provider_retell.emulator.paging import OrderKey, cut, walk
from airflow_provider_retell.emulator.responses import Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_retell.emulator.calls.store import CallStore
    from airflow_provider_retell.emulator.calls.vocabulary import Call
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_LAST = "\U0010ffff"


@ROUTES.add("POST", "/v3/list-calls", ("history", "read"), bodies.LIST_CALLS)
def list_calls(org: Organization, request: Request) -> Response:
    """Return one page of calls, without transcripts."""
    body: dict[str, Any] = request.body
    store, calls = org.call_backend.store, org.call_backend.listed()
    criteria = dict(body.get("filter_criteria", {}))
    keys = _candidates(store, criteria, org.options.max_ids_per_filter)
    ids, page = cut(_matching(calls, criteria, walk(keys, body)), body)
    hidden = org.call_backend.hidden_in_lists
    page["items"] = [org.call_backend.without(hidden, calls[call_id]) for call_id in ids]
    if body.get("include_total"):
        page["total"] = sum(1 for _ in _matching(calls, criteria, keys))
    return json_response(200, page)


def _candidates(store: CallStore, criteria: dict[str, Any], max_ids: int | None) -> list[OrderKey]:
    """Return the calls that need testing, ascending: those with the given ids or start times, or all."""
    calls, ids = store.calls, take_ids(criteria, "call_id", max_ids)
    if ids is not None:
        return ordered(calls[call_id] for call_id in ids if call_id in calls)
    keys = store.ordered()
    low, high = _bounds(criteria.get("start_timestamp", {}))
    if low is None and high is None:
        return keys
    first = 0 if low is None else bisect_left(keys, (low, ""))
    after = len(keys) if high is None else bisect_right(keys, (high, _LAST))
    return keys[first:after]


def _bounds(start: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return an interval that contains every start time that the condition accepts."""
    value, op = start.get("value"), start.get("op")
    if op == "bt":
        return start["value"][0], start["value"][1]
    if op == "eq":
        return value, value
    if op in ("gt", "ge"):
        return value, None
    if op in ("lt", "le"):
        return None, value
    return None, None


def _matching(
    calls: Mapping[str, Call], criteria: dict[str, Any], keys: Iterable[OrderKey]
) -> Iterator[OrderKey]:
    tests = FIELDS.compile(criteria)
    return (key for key in keys if key[1] in calls and all(test(calls[key[1]]) for test in tests))
