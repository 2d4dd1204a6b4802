"""Steps that the checks of calls and of chats share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.contract.seeing import is_success, see

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.models import RecordSummary
    from airflow_provider_retell.api.records.nouns import Noun
    from airflow_provider_retell.api.request import Flow, Request, Response

KEY = "airflow_contract_check"
"""The metadata key that checks write."""

TRIES = 15
"""The number of requests that look for a change before a check gives up."""


def items_of(noun: Noun, body: Any) -> list[dict[str, Any]] | None:
    """Return the calls or chats in the body of a list, or None if it is not such a list."""
    found = body.get("items") if isinstance(body, dict) else None
    if not isinstance(found, list):
        return None
    return [item for item in found if isinstance(item, dict) and isinstance(item.get(f"{noun}_id"), str)]


def accepted_ids(request: Callable[[int], Request[Any]], largest: int) -> Flow[tuple[int, Response | None]]:
    """Return the largest number of ids that a list accepts, and a response that does not decide it, or None.

    :param request: returns the request with the given number of ids.
    :param largest: the number to begin with.
    """
    accepted, count = 0, largest
    rejected = largest + 1
    while count > accepted:
        response = yield from see(request(count), 413, 414)
        if is_success(response):
            accepted = count
        elif response.status in (400, 413, 414, 422):
            rejected = count
        else:
            return count, response
        count = (accepted + rejected) // 2
    return accepted, None


def restore_metadata(
    read: Callable[[], Request[RecordSummary]],
    update: Callable[[RecordSummary, dict[str, Any]], Request[Any]],
    metadata: dict[str, Any],
) -> Flow[bool]:
    """Set the metadata of a call or chat to its state before the checks; return True if it is equal again.

    :param read: returns the request that reads the record.
    :param update: returns the request that updates a record to the given metadata.
    """
    wanted = metadata
    record: RecordSummary = yield read()
    for _ in range(2):
        if (record.metadata or {}) == metadata:
            return True
        yield update(record, wanted)
        record = yield read()
        # If Retell merges, keys of the checks remain. For this package, null is equal to a missing key.
        rest = {key: None for key in record.metadata or {} if key.startswith(KEY) and key not in metadata}
        wanted = {**metadata, **rest}
    return same_json(record.metadata or {}, metadata)
