"""POST /v3/list-calls: filter, order, page."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer
from airflow_provider_retell.emulator.filters import compile_filter
from airflow_provider_retell.emulator.store import OrderKey, ordered
from airflow_provider_retell.emulator.vocabulary import TRANSCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_retell.emulator.organization import Organization

DEFAULT_PAGE = 50

_LAST = "\U0010ffff"


def list_calls(org: Organization, _: str, body: dict[str, Any]) -> Answer:
    """Answer one page.

    The page key names the last call given, so calls that come or go do not shift pages.
    """
    criteria = dict(body.get("filter_criteria", {}))
    descending = body.get("sort_order", "descending") == "descending"
    limit = int(body.get("limit", DEFAULT_PAGE))
    skip = int(body.get("skip", 0))
    keys = _candidates(org, criteria)
    found = _matching(org, criteria, _walk(keys, descending, body.get("pagination_key")))
    hidden = (*TRANSCRIPTS, *org.hidden_fields)
    items: list[dict[str, Any]] = []
    last: OrderKey = (0, "")
    has_more = False
    for position, key in enumerate(found):
        if position < skip:
            continue
        if len(items) == limit:
            has_more = True
            break
        last = key
        items.append({name: value for name, value in org.calls[key[1]].items() if name not in hidden})
    page: dict[str, Any] = {"items": items, "has_more": has_more}
    if has_more:
        page["pagination_key"] = _seal(last)
    if body.get("include_total"):
        page["total"] = sum(1 for _ in _matching(org, criteria, iter(keys)))
    return json_answer(200, page)


def _candidates(org: Organization, criteria: dict[str, Any]) -> list[OrderKey]:
    """Return the calls worth testing, ascending: by id where ids are given, else by start time if given."""
    ids = criteria.get("call_id", {})
    if ids.get("type") == "enum":
        most = org.options.max_ids_per_filter
        if most is not None and len(ids["value"]) > most:
            at = "body/filter_criteria/call_id/value"
            raise ApiError(400, f"{at} must NOT have more than {most} items")
        del criteria["call_id"]
        calls = org.calls
        return ordered(calls[call_id] for call_id in dict.fromkeys(ids["value"]) if call_id in calls)
    keys = org.store.ordered()
    start = criteria.get("start_timestamp", {})
    low, high = _bounds(start)
    if low is None and high is None:
        return keys
    first = 0 if low is None else bisect_left(keys, (low, ""))
    after = len(keys) if high is None else bisect_right(keys, (high, _LAST))
    return keys[first:after]


def _bounds(start: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return an interval that holds all that the leaf can fit; the leaf itself is still tested."""
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


def _walk(keys: list[OrderKey], descending: bool, page_key: str | None) -> Iterator[OrderKey]:
    if descending:
        stop = len(keys) if page_key is None else bisect_left(keys, _open(page_key))
        return (keys[position] for position in range(stop - 1, -1, -1))
    begin = 0 if page_key is None else bisect_right(keys, _open(page_key))
    return (keys[position] for position in range(begin, len(keys)))


def _matching(org: Organization, criteria: dict[str, Any], keys: Iterator[OrderKey]) -> Iterator[OrderKey]:
    tests = compile_filter(criteria)
    calls = org.calls
    return (key for key in keys if key[1] in calls and all(test(calls[key[1]]) for test in tests))


def _seal(key: OrderKey) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _open(page_key: str) -> OrderKey:
    try:
        start, call_id = json.loads(base64.urlsafe_b64decode(page_key))
        return (float(start), str(call_id))
    except (binascii.Error, ValueError, TypeError):
        raise ApiError(400, "body/pagination_key is not valid") from None
