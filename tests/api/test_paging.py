"""Reading a listing page by page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_retell.api.calls.endpoints import list_calls
from airflow_provider_retell.api.calls.models import CallPage
from airflow_provider_retell.api.errors import RetellInputError, RetellResponseError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.paging import read_all as read_all_flow


def page(*names: str, more: bool = False, key: str | None = None) -> CallPage:
    items = [{"call_id": name, "call_status": "ended"} for name in names]
    return CallPage.read(json.dumps({"items": items, "has_more": more, "pagination_key": key}).encode())


def read_all(pages: Pages[Any], *responses: CallPage) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the ids of all items, and the bodies of the requests."""
    names, bodies, left = [], [], list(responses)
    for request in pages:
        bodies.append(json.loads(request.body))
        names += [item.call_id for item in pages.read(left.pop(0))]
    assert left == []
    return names, bodies


def test_every_page_is_requested_with_the_key_of_the_page_before() -> None:
    names, bodies = read_all(
        Pages(list_calls, limit=2),
        page("a", "b", more=True, key="k1"),
        page("c", "d", more=True, key="k2"),
        page("e", key="k3"),
    )
    assert names == ["a", "b", "c", "d", "e"]
    assert bodies == [
        {"limit": 2},
        {"limit": 2, "pagination_key": "k1"},
        {"limit": 2, "pagination_key": "k2"},
    ]


def test_empty_page_is_not_the_end_if_more_pages_follow() -> None:
    names, bodies = read_all(Pages(list_calls), page(more=True, key="k1"), page("a"))
    assert names == ["a"]
    assert len(bodies) == 2


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ([None], "page 1 says that more pages follow, but has no pagination_key"),
        ([""], "page 1 says that more pages follow, but has no pagination_key"),
        ([" "], "page 1 says that more pages follow, but has no pagination_key"),
        (["k1", None], "page 2 says that more pages follow, but has no pagination_key"),
        (["k1", "k1"], "page 2 says that more pages follow, but repeats a pagination_key"),
        (["k1", "k2", "k1"], "page 3 says that more pages follow, but repeats a pagination_key"),
    ],
)
def test_missing_or_repeated_key_is_an_error(keys: list[str | None], fault: str) -> None:
    with pytest.raises(RetellResponseError, match=f"list-calls: {fault}"):
        read_all(Pages(list_calls), *(page("a", more=True, key=key) for key in keys))


def test_malformed_item_is_an_error_unless_it_is_asked_for() -> None:
    body = {"items": [{"call_id": "a", "call_status": "ended", "metadata": [1]}]}
    malformed = CallPage.read(json.dumps(body).encode())
    with pytest.raises(RetellResponseError, match="list-calls: a: metadata is not as the API documents it"):
        Pages(list_calls).read(malformed)
    assert [item.call_id for item in Pages(list_calls).read(malformed, malformed=True)] == ["a"]


def test_page_after_the_last_one_is_described_without_an_operation() -> None:
    pages = Pages(list_calls)
    pages.read(page("a"))
    with pytest.raises(RetellResponseError, match="^the listing: page 1 says that more pages follow"):
        pages.read(page("b", more=True))


def test_invalid_criteria_are_rejected_before_the_first_request() -> None:
    with pytest.raises(RetellInputError, match="limit must be"):
        Pages(list_calls, limit=0)


def test_items_of_all_pages_are_read_in_order() -> None:
    flow = read_all_flow(list_calls, limit=2)
    assert json.loads(next(flow).body) == {"limit": 2}
    assert json.loads(flow.send(page("a", "b", more=True, key="k1")).body) == {
        "limit": 2,
        "pagination_key": "k1",
    }
    with pytest.raises(StopIteration) as stopped:
        flow.send(page("c"))
    assert [item.call_id for item in stopped.value.value] == ["a", "b", "c"]
