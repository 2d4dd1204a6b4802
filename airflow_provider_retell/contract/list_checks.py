"""The checks of list-calls that are the same for list-chats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds
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
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.records import Records
    from airflow_provider_retell.contract.target import Target

PAGE = 1000
"""The largest page."""


@dataclass(frozen=True, eq=False)
class ListChecks:
    """The checks of the list of calls or of chats."""

    records: Records

    def form(self, _target: Target) -> Flow[Finding]:
        """List records without criteria."""
        records = self.records
        request = records.kind.listing(limit=50)
        response = yield from see(request)
        found = documented_result(request, response)
        if found.malformed:
            return differs(f"{len(found.malformed)} {records.noun}s: {next(iter(found.malformed.values()))}")
        more = kind(body_of(response).get("has_more"))
        if more != "a boolean":
            return differs(f"has_more is {more}", handled=not found.pagination_key)
        return holds("items and has_more")

    def transcripts(self, target: Target) -> Flow[Finding]:
        """Search the newest records that have ended for transcripts."""
        sample = yield from self.records.sample(target)
        shown = sorted(self.records.transcripts & set().union(*sample))
        return differs(", ".join(shown)) if shown else holds("no transcript")

    def pages(self, target: Target) -> Flow[Finding]:
        """Read up to three records one by one."""
        records = self.records
        wanted = records.ids((yield from records.sample(target)))[:3]
        if len(wanted) < 2:
            raise SkipError(f"the organization has fewer than two {records.noun}s that have ended")
        criteria = records.by_ids(wanted)
        body, found = yield from records.listed(filter_criteria=criteria, limit=1)
        seen = records.ids(found)
        for number in range(1, len(wanted)):
            key = body.get("pagination_key")
            if body.get("has_more") is not True or not isinstance(key, str):
                return differs(f"page {number} of {len(wanted)} has no next page")
            body, found = yield from records.listed(filter_criteria=criteria, limit=1, pagination_key=key)
            seen += records.ids(found)
        if sorted(seen) != sorted(wanted):
            return differs(f"pages repeat or lack {records.noun}s")
        if body.get("has_more"):
            return differs("the last page promises more")
        last = ", the last one with a key" if body.get("pagination_key") else ""
        return holds(f"{len(wanted)} pages{last}")

    def by_ids(self, target: Target) -> Flow[Finding]:
        """List records by their ids."""
        records = self.records
        wanted = set(records.ids((yield from records.sample(target))))
        _, listed = yield from records.listed(filter_criteria=records.by_ids(sorted(wanted)), limit=PAGE)
        found = set(records.ids(listed))
        if found - wanted:
            return differs(f"other {records.noun}s too")
        return (
            holds(f"all {records.noun}s")
            if found == wanted
            else differs(f"{records.noun}s are missing", handled=True)
        )

    def ids_per_filter(self, target: Target) -> Flow[Finding]:
        """List by as many ids as possible. Most of them do not exist."""
        records = self.records
        wanted = records.ids((yield from records.sample(target)))
        wanted += [f"{records.noun}_{number:032x}" for number in range(PAGE)]
        option = records.option("max_ids_per_filter")
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
            criteria = self.records.by_ids(ids[:count])
            request = self.records.kind.listing(filter_criteria=criteria, limit=PAGE)
            response = yield from see(request, 413, 414)
            if is_success(response):
                accepted = count
            elif response.status in (400, 413, 414, 422):
                rejected = count
            else:
                return count, response
            count = (accepted + rejected) // 2
        return accepted, None

    def by_end(self, target: Target) -> Flow[Finding]:
        """List from the end of a known record on."""
        records = self.records
        sample = yield from records.sample(target)
        ended = [record for record in sample if isinstance(record.get("end_timestamp"), int)]
        known = one(ended, f"no {records.noun} has end_timestamp")
        since = known["end_timestamp"]
        criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": since}}
        _, found = yield from records.listed(filter_criteria=criteria, limit=PAGE)
        if any(
            not isinstance(item.get("end_timestamp"), int) or item["end_timestamp"] < since for item in found
        ):
            return differs(f"earlier {records.noun}s too")
        if records.ids([known])[0] not in records.ids(found):
            return differs(f"the {records.noun} that ended then is missing")
        return holds(f"that {records.noun}, and none before it")
