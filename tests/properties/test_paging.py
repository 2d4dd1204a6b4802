"""Reading a listing from arbitrary servers."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_retell.api.calls.endpoints import list_calls
from airflow_provider_retell.api.errors import RetellResponseError
from airflow_provider_retell.api.paging import Pages

ids = st.integers(0, 9).map(lambda number: f"call_{number}")
keys = st.sampled_from([None, "k1", "k2", "k3", "", " "]) | st.text(max_size=3)
pages = st.builds(
    lambda items, has_more, key: {"items": items, "has_more": has_more, "pagination_key": key},
    st.lists(ids.map(lambda call_id: {"call_id": call_id, "call_status": "ended"}), max_size=3),
    st.sampled_from([True, True, True, False]),
    keys,
)


class Server:
    """Responds to each pagination key with the same page, and to unknown keys with the next of *script*."""

    def __init__(self, script: list[Any]) -> None:
        self.script = list(script)
        self.pages: dict[str | None, Any] = {}
        self.requested: list[str | None] = []

    def respond(self, body: bytes) -> bytes:
        key = json.loads(body).get("pagination_key")
        self.requested.append(key)
        if key not in self.pages:
            self.pages[key] = self.script.pop(0) if self.script else {"items": [], "has_more": False}
        return json.dumps(self.pages[key]).encode()


def read_all(server: Server, limit: int) -> tuple[list[str], bool]:
    """Return the ids of all calls, and whether the listing ended without an error."""
    found: list[str] = []
    listing = Pages(list_calls, limit=limit)
    try:
        for request in listing:
            found += [
                call.call_id for call in listing.read(request.parse(server.respond(request.body or b"")))
            ]
    except RetellResponseError:
        return found, False
    return found, True


@given(st.lists(pages, max_size=12), st.integers(1, 1000))
@example([{"items": [], "has_more": True, "pagination_key": ""}], 5)
def test_listing_has_every_item_once_or_ends_with_an_error(script: list[Any], limit: int) -> None:
    server = Server(script)
    found, complete = read_all(server, limit)
    # No page is requested twice, and each one is read in order.
    assert len(set(server.requested)) == len(server.requested) <= len(script) + 1
    sent = [item["call_id"] for key in server.requested for item in server.pages[key]["items"]]
    last = server.pages[server.requested[-1]]
    if complete:
        assert found == sent
        assert not last["has_more"]
    else:
        assert found == sent[: len(sent) - len(last["items"])]
        assert last["has_more"]


@given(st.lists(st.lists(ids, max_size=3), min_size=1, max_size=8), st.integers(1, 3))
def test_listing_of_a_server_that_works_is_complete(parts: list[list[str]], limit: int) -> None:
    script = [
        {
            "items": [{"call_id": call_id, "call_status": "ended"} for call_id in part],
            "has_more": number < len(parts),
            "pagination_key": f"key {number}" if number < len(parts) else None,
        }
        for number, part in enumerate(parts, start=1)
    ]
    assert read_all(Server(script), limit) == ([call_id for part in parts for call_id in part], True)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["call_id", "call_status", "metadata"]), ids | st.integers()),
        max_size=4,
    )
)
def test_malformed_item_is_never_skipped(items: list[Any]) -> None:
    listing = Pages(list_calls)
    request = next(iter(listing))
    try:
        page = request.parse(json.dumps({"items": items}).encode())
    except ValidationError:
        return
    assert [call.call_id for call in page.items] == [item["call_id"] for item in items]
    try:
        listing.read(page)
    except RetellResponseError:
        assert page.malformed
    else:
        assert not page.malformed
