"""Steps that the checks of calls and of chats share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.contract.check import Finding, SkipError, differs, holds
from airflow_provider_retell.contract.seeing import body_of, documented_result, is_success, kind, see

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


def check_list_form(noun: Noun, request: Request[Any]) -> Flow[Finding]:
    """List calls or chats without criteria."""
    response = yield from see(request)
    found = documented_result(request, response)
    if found.malformed:
        return differs(f"{len(found.malformed)} {noun}s: {next(iter(found.malformed.values()))}")
    more = kind(body_of(response).get("has_more"))
    if more != "a boolean":
        return differs(f"has_more is {more}", handled=not found.pagination_key)
    return holds("items and has_more")


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


def check_found(noun: Noun, wanted: Sequence[str], found: Sequence[str]) -> Finding:
    """Compare the ids in the filter of a list with those in its result."""
    if set(found) - set(wanted):
        return differs(f"other {noun}s too")
    if set(found) != set(wanted):
        return differs(f"{noun}s are missing", handled=True)
    return holds(f"all {noun}s")


def check_timestamps(noun: Noun, records: Sequence[Mapping[str, Any]]) -> Finding:
    """Check that the timestamps of calls or chats have the size of milliseconds."""
    values = [
        record[name]
        for record in records
        for name in ("start_timestamp", "end_timestamp")
        if record.get(name) is not None
    ]
    if not values:
        raise SkipError(f"no {noun} has a timestamp")
    if all(isinstance(value, (int, float)) and 10**11 <= value < 10**14 for value in values):
        return holds("13 digits")
    return differs("other numbers or types")


def check_ends(noun: Noun, records: Sequence[Mapping[str, Any]], statuses: Collection[str]) -> Finding:
    """Check that all calls or chats have the time of their end.

    :param statuses: the documented statuses, which a report may contain.
    """
    without = {str(record.get(f"{noun}_status")) for record in records if record.get("end_timestamp") is None}
    if without:
        known = " or ".join(sorted(without.intersection(statuses)))
        return differs(f"none in a {noun} that is {known or 'of an unknown status'}")
    return holds(f"in every {noun}")


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
