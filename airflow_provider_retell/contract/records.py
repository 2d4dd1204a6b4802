"""Steps that the checks of calls and of chats share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.models import RecordSummary
    from airflow_provider_retell.api.records.nouns import Noun
    from airflow_provider_retell.api.request import Flow, Request

KEY = "airflow_contract_check"
"""The metadata key that checks write."""

TRIES = 15
"""The number of requests that look for a change before a check gives up."""


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
