"""The list of calls or of chats, and the checks that are the same for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.seeing import (
    body_of,
    describe,
    documented_result,
    is_success,
    kind,
    see,
)
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.nouns import Noun
    from airflow_provider_retell.api.request import Flow, Request, Response

PAGE = 1000
"""The largest page."""


@dataclass(frozen=True)
class RecordList:
    """The list of calls or of chats.

    :ivar noun: ``"call"`` or ``"chat"``.
    :ivar request: the endpoint.
    """

    noun: Noun
    request: Callable[..., Request[Any]]

    def listed(self, **criteria: Any) -> Flow[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """List records; return the body and its items."""
        request = self.request(**criteria)
        response = yield from see(request)
        body = body_of(response) if is_success(response) else None
        found = body.get("items") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(found, list):
            raise CannotTellError(f"{request.operation}: {describe(response)}")
        return body, [
            item for item in found if isinstance(item, dict) and isinstance(item.get(self._id), str)
        ]

    @property
    def _id(self) -> str:
        return f"{self.noun}_id"

    def ids(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the ids of records."""
        return [record[self._id] for record in records]

    def by_ids(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return filter criteria for records with these ids."""
        return {self._id: {"type": "enum", "op": "in", "value": list(ids)}}

    def check_form(self) -> Flow[Finding]:
        """List records without criteria."""
        request = self.request(limit=50)
        response = yield from see(request)
        found = documented_result(request, response)
        if found.malformed:
            return differs(f"{len(found.malformed)} {self.noun}s: {next(iter(found.malformed.values()))}")
        more = kind(body_of(response).get("has_more"))
        if more != "a boolean":
            return differs(f"has_more is {more}", handled=not found.pagination_key)
        return holds("items and has_more")

    def check_pages(self, sample: Sequence[Mapping[str, Any]]) -> Flow[Finding]:
        """Read up to three records one by one."""
        wanted = self.ids(sample)[:3]
        if len(wanted) < 2:
            raise SkipError(f"the organization has fewer than two {self.noun}s that have ended")
        criteria = self.by_ids(wanted)
        body, found = yield from self.listed(filter_criteria=criteria, limit=1)
        seen = self.ids(found)
        for number in range(1, len(wanted)):
            key = body.get("pagination_key")
            if body.get("has_more") is not True or not isinstance(key, str):
                return differs(f"page {number} of {len(wanted)} has no next page")
            body, found = yield from self.listed(filter_criteria=criteria, limit=1, pagination_key=key)
            seen += self.ids(found)
        if sorted(seen) != sorted(wanted):
            return differs(f"pages repeat or lack {self.noun}s")
        if body.get("has_more"):
            return differs("the last page promises more")
        last = ", the last one with a key" if body.get("pagination_key") else ""
        return holds(f"{len(wanted)} pages{last}")

    def check_by_ids(self, sample: Sequence[Mapping[str, Any]]) -> Flow[Finding]:
        """List records by their ids."""
        wanted = set(self.ids(sample))
        _, records = yield from self.listed(filter_criteria=self.by_ids(sorted(wanted)), limit=PAGE)
        found = set(self.ids(records))
        if found - wanted:
            return differs(f"other {self.noun}s too")
        return (
            holds(f"all {self.noun}s")
            if found == wanted
            else differs(f"{self.noun}s are missing", handled=True)
        )

    def check_ids_per_filter(self, sample: Sequence[Mapping[str, Any]], option: str) -> Flow[Finding]:
        """List by as many ids as possible. Most of them do not exist.

        :param option: the option of the emulator that limits them.
        """
        wanted = self.ids(sample) + [f"{self.noun}_{number:032x}" for number in range(PAGE)]
        accepted, other = yield from self._accepted(wanted)
        if other is not None:
            return differs(f"{accepted} ids: {describe(other)}")
        if accepted == PAGE:
            return holds(f"{PAGE} ids", options={option: None})
        return differs(f"{accepted} ids", handled=True, options={option: accepted})

    def _accepted(self, ids: Sequence[str]) -> Flow[tuple[int, Response | None]]:
        """Return the largest number of ids that the list accepts, and a response that does not decide it, or None."""
        accepted, count = 0, PAGE
        rejected = PAGE + 1
        while count > accepted:
            request = self.request(filter_criteria=self.by_ids(ids[:count]), limit=PAGE)
            response = yield from see(request, 413, 414)
            if is_success(response):
                accepted = count
            elif response.status in (400, 413, 414, 422):
                rejected = count
            else:
                return count, response
            count = (accepted + rejected) // 2
        return accepted, None

    def check_by_end(self, sample: Sequence[Mapping[str, Any]]) -> Flow[Finding]:
        """List from the end of a known record on."""
        ended = [record for record in sample if isinstance(record.get("end_timestamp"), int)]
        known = one(ended, f"no {self.noun} has end_timestamp")
        since = known["end_timestamp"]
        criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": since}}
        _, found = yield from self.listed(filter_criteria=criteria, limit=PAGE)
        if any(
            not isinstance(item.get("end_timestamp"), int) or item["end_timestamp"] < since for item in found
        ):
            return differs(f"earlier {self.noun}s too")
        if known[self._id] not in self.ids(found):
            return differs(f"the {self.noun} that ended then is missing")
        return holds(f"that {self.noun}, and none before it")
