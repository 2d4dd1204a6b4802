"""The calls or the chats of an account: those that checks list, and those that the user named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.changes import diff
from airflow_provider_retell.contract.findings import CannotTellError, SkipError
from airflow_provider_retell.contract.seeing import ask, body_of, describe, is_success, see
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.kind import Kind
    from airflow_provider_retell.api.records.models import RecordSummary
    from airflow_provider_retell.api.records.nouns import Noun
    from airflow_provider_retell.api.request import Flow, Request
    from airflow_provider_retell.contract.flags import Flag
    from airflow_provider_retell.contract.target import Target

KEY = "airflow_contract_check"
"""The metadata key that checks write."""

TRIES = 15
"""The number of requests that look for a change before a check gives up."""

SAMPLE = 50
"""The number of records in the sample."""


@dataclass(frozen=True, eq=False)
class Records:
    """The calls or the chats of an account.

    :ivar kind: their endpoints and models.
    :ivar update: the endpoint that updates a record.
    :ivar update_live: the endpoint that updates a record that is ongoing.
    :ivar flag: the flag that names the records that checks may change.
    :ivar statuses: the documented statuses.
    :ivar transcripts: the fields that lists leave out.
    :ivar options: the first part of the names of the emulator's options for them.
    """

    kind: Kind[Any]
    update: Callable[..., Request[Any]]
    update_live: Callable[..., Request[Any]]
    flag: Flag
    statuses: frozenset[str]
    transcripts: frozenset[str]
    options: str = ""

    @property
    def noun(self) -> Noun:
        """``"call"`` or ``"chat"``."""
        return self.kind.name

    @property
    def unknown_id(self) -> str:
        """The id of a record that does not exist. It has the form of Retell's ids."""
        return f"{self.noun}_{'0' * 32}"

    def option(self, name: str) -> str:
        """Return the name of an option of the emulator for these records."""
        return f"{self.options}{name}"

    def ids(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the ids of records."""
        return [record[f"{self.noun}_id"] for record in records]

    def by_ids(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return filter criteria for records with these ids."""
        return {f"{self.noun}_id": {"type": "enum", "op": "in", "value": list(ids)}}

    def listed(self, **criteria: Any) -> Flow[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """List records; return the body and its items."""
        request = self.kind.listing(**criteria)
        response = yield from see(request)
        body = body_of(response) if is_success(response) else None
        found = body.get("items") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(found, list):
            raise CannotTellError(f"{request.operation}: {describe(response)}")
        name = f"{self.noun}_id"
        return body, [item for item in found if isinstance(item, dict) and isinstance(item.get(name), str)]

    def sample(self, target: Target) -> Flow[list[dict[str, Any]]]:
        """Return the newest records that have ended, as Retell lists them."""
        found: list[dict[str, Any]] = yield from target.once(self._sample)
        return found

    def _sample(self, _target: Target) -> Flow[list[dict[str, Any]]]:
        ended = {"type": "enum", "op": "in", "value": sorted(self.kind.record.ended_statuses)}
        _, found = yield from self.listed(filter_criteria={f"{self.noun}_status": ended}, limit=SAMPLE)
        one(found, f"the organization has no {self.noun} that has ended")
        return found

    def named(self, target: Target) -> Flow[list[Any]]:
        """Return the records that the user named."""
        records: list[Any] = yield from target.once(self._named)
        return records

    def _named(self, target: Target) -> Flow[list[Any]]:
        records = []
        for record_id in target.values(self.flag):
            records.append((yield from ask(self.kind.get(record_id))))
        return records

    def writable(self, target: Target, status: str = "ended") -> Flow[Any]:
        """Return a named record with a status, after recording its metadata, so that a check may change it.

        :raises SkipError: if none of the named records can be changed and restored exactly.
        """
        noun, option = self.noun, self.flag.option
        named = [record for record in (yield from self.named(target)) if record.status == status]
        one(named, f"needs {option} of a {noun} that is {status}")
        found = one(
            [record for record in named if record.data_storage_setting != "everything_except_pii"],
            f"Retell masks the metadata of the {noun}s in {option}: name one that stores everything",
        )
        record: RecordSummary = yield from ask(self.kind.get(found.record_id))
        if record.status != found.status:
            raise SkipError(f"the status of the {noun} in {option} has changed")
        try:
            self.update(record.record_id, metadata=record.metadata or {})
            diff(record, self.kind.change(metadata={KEY: True}), "merge")
        except RetellInputError:
            raise SkipError(
                f"the package cannot restore the metadata of the {noun} in {option} exactly"
            ) from None
        target.about_to_change(noun, record.record_id, {"metadata": record.metadata or {}})
        return record

    def restore(self, record_id: str, state: dict[str, Any]) -> Flow[bool]:
        """Set the metadata of a record to its state before the checks; return True if it is equal again."""
        wanted = metadata = state["metadata"]
        record: RecordSummary = yield self.kind.get(record_id)
        for _ in range(2):
            if (record.metadata or {}) == metadata:
                return True
            update = self.update_live if record.status == "ongoing" else self.update
            yield update(record_id, metadata=wanted)
            record = yield self.kind.get(record_id)
            # If Retell merges, keys of the checks remain. For this package, null is equal to a missing key.
            rest = {key: None for key in record.metadata or {} if key.startswith(KEY) and key not in metadata}
            wanted = {**metadata, **rest}
        return same_json(record.metadata or {}, metadata)
