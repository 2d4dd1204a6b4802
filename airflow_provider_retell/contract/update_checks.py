"""The checks of update-call that are the same for update-chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.contract.findings import Finding, differs, holds
from airflow_provider_retell.contract.records import KEY, TRIES
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    ask,
    body_of,
    describe,
    is_success,
    kind,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.models import RecordSummary
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.records import Records
    from airflow_provider_retell.contract.target import Target

_OTHER_KEY = f"{KEY}_2"


@dataclass(frozen=True, eq=False)
class UpdateChecks:
    """The checks of the updates of calls or of chats."""

    records: Records

    def write(self, record: RecordSummary, metadata: dict[str, Any]) -> Flow[dict[str, Any]]:
        """Update the metadata of a record, and return it as it is read back."""
        yield from ask(self.records.update(record.record_id, metadata=metadata))
        return (yield from self._read(record))

    def _read(self, record: RecordSummary) -> Flow[dict[str, Any]]:
        changed: RecordSummary = yield from ask(self.records.kind.get(record.record_id))
        return changed.metadata or {}

    def unknown_id(self, _target: Target) -> Flow[Finding]:
        """Update a record that does not exist."""
        response = yield from see(self.records.update(self.records.unknown_id, metadata={}))
        return holds(describe(response)) if response.status in NOT_FOUND else differs(describe(response))

    def response(self, target: Target) -> Flow[Finding]:
        """Write a key and read the response."""
        record = yield from self.records.writable(target)
        metadata = {**(record.metadata or {}), KEY: "a"}
        response = yield from see(self.records.update(record.record_id, metadata=metadata))
        body = body_of(response)
        if not is_success(response) or not isinstance(body, dict):
            return differs(describe(response))
        name = f"{self.records.noun}_id"
        if body.get(name) != record.record_id:
            return differs(f"{response.status}, {name} is {kind(body.get(name))}")
        shown = body.get("metadata")
        if not isinstance(shown, dict) or shown.get(KEY) != "a":
            return differs(f"{response.status} without the new metadata")
        return holds(f"{response.status} with the new metadata")

    def replaces(self, target: Target) -> Flow[Finding]:
        """Write two different keys, one after the other."""
        option = self.records.option("metadata_semantics")
        record = yield from self.records.writable(target)
        yield from ask(self.records.update(record.record_id, metadata={KEY: "a", _OTHER_KEY: "b"}))
        metadata = yield from self.write(record, {KEY: "c"})
        if metadata.get(KEY) != "c":
            return differs("the new value is missing")
        if _OTHER_KEY in metadata:
            return differs("the other key remains", handled=True, options={option: "merge"})
        return holds("the other key is gone", options={option: "replace"})

    def empty_clears(self, target: Target) -> Flow[Finding]:
        """Write a key, then an empty object."""
        option = self.records.option("empty_metadata_clears")
        record = yield from self.records.writable(target)
        yield from ask(self.records.update(record.record_id, metadata={KEY: "a"}))
        response = yield from see(self.records.update(record.record_id, metadata={}))
        if not is_success(response):
            return differs(describe(response), handled=True)
        if (yield from self._read(record)):
            return differs("metadata remains", handled=True, options={option: False})
        return holds("no metadata", options={option: True})

    def keeps_null(self, target: Target) -> Flow[Finding]:
        """Write a null."""
        option = self.records.option("drops_null")
        record = yield from self.records.writable(target)
        metadata = yield from self.write(record, {KEY: None, _OTHER_KEY: 1})
        if _OTHER_KEY not in metadata or metadata.get(KEY) is not None:
            return differs("another value")
        if KEY in metadata:
            return holds("null", options={option: False})
        return differs("no key", handled=True, options={option: True})

    def read_at_once(self, target: Target) -> Flow[Finding]:
        """Write a key, and read the record until it shows it."""
        record = yield from self.records.writable(target)
        yield from ask(self.records.update(record.record_id, metadata={KEY: "read"}))
        for number in range(1, TRIES + 1):
            if (yield from self._read(record)).get(KEY) == "read":
                return _after(number)
        return differs(f"not in {TRIES} requests")

    def listed_at_once(self, target: Target) -> Flow[Finding]:
        """Write a key, and list the record until it shows it."""
        record = yield from self.records.writable(target)
        yield from ask(self.records.update(record.record_id, metadata={KEY: "list"}))
        criteria = self.records.by_ids([record.record_id])
        for number in range(1, TRIES + 1):
            found = yield from ask(self.records.kind.listing(filter_criteria=criteria, limit=1))
            if found.items and (found.items[0].metadata or {}).get(KEY) == "list":
                return _after(number)
        return differs(f"not in {TRIES} requests")

    def drops_unknown_attribute(self, target: Target) -> Flow[Finding]:
        """Set a custom attribute that does not exist."""
        option = self.records.option("rejects_unknown_attributes")
        record = yield from self.records.writable(target)
        response = yield from see(self.records.update(record.record_id, custom_attributes={KEY: "a"}))
        if is_success(response):
            return holds(describe(response), options={option: False})
        if response.status in REJECTED:
            return differs(describe(response), handled=True, options={option: True})
        return differs(describe(response))


def _after(number: int) -> Finding:
    return holds("at once") if number == 1 else differs(f"after {number} requests")
