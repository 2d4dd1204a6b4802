"""Response engines: their requests, and listings of all pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.engines import endpoints, listings


@pytest.mark.parametrize(
    ("listing", "operation", "id_name"),
    [
        (listings.list_retell_llms, "list-retell-llms", "llm_id"),
        (listings.list_conversation_flows, "list-conversation-flows", "conversation_flow_id"),
    ],
)
def test_listing_has_the_engines_of_all_pages(listing: Any, operation: str, id_name: str) -> None:
    hook = FakeHook(
        {"items": [{id_name: "engine_1"}, {id_name: "engine_2"}], "has_more": True, "pagination_key": "k"},
        {"items": [{id_name: "engine_3"}], "has_more": False},
    )
    assert [getattr(each, id_name) for each in hook.run(listing())] == ["engine_1", "engine_2", "engine_3"]
    assert hook.operations == [operation] * 2
    assert [each.path for each in hook.requests] == [f"/v2/{operation}", f"/v2/{operation}?pagination_key=k"]


@pytest.mark.parametrize("list_page", [endpoints.list_retell_llms, endpoints.list_conversation_flows])
def test_page_has_an_order_and_a_size(list_page: Any) -> None:
    request = list_page(sort_order="ascending", limit=5, pagination_key="k")
    assert request.path == f"/v2/{request.operation}?limit=5&pagination_key=k&sort_order=ascending"


@pytest.mark.parametrize(
    ("update", "subject"),
    [
        (endpoints.update_retell_llm, "LLM engine_1"),
        (endpoints.update_conversation_flow, "conversation flow engine_1"),
    ],
)
@pytest.mark.parametrize(("version", "query"), [(None, ""), (0, "?version=0"), (3, "?version=3")])
def test_update_sends_the_changes_of_one_version(
    update: Any, subject: str, version: int | None, query: str
) -> None:
    request = update("engine_1", {"general_prompt": "Hi", "begin_message": None}, version=version)
    assert request.path == f"/{request.operation}/engine_1{query}"
    assert request.subject == subject
    assert json.loads(request.body) == {"general_prompt": "Hi", "begin_message": None}
