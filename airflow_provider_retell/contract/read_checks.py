"""The checks of call objects that are the same for chat objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.seeing import body_of, describe, is_success, see, unknown

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.records import Records
    from airflow_provider_retell.contract.target import Target


@dataclass(frozen=True, eq=False)
class ReadChecks:
    """The checks of call objects or of chat objects."""

    records: Records

    def unknown_id(self, _target: Target) -> Flow[Finding]:
        """Read a record that does not exist."""
        records = self.records
        request = records.kind.get(records.unknown_id)
        return (yield from unknown(request, 422, records.option("unknown_id_status")))

    def whole(self, target: Target) -> Flow[tuple[dict[str, Any], str]]:
        """Read a record of the sample; return it as a dict, and its fault or ``""``."""
        request = self.records.kind.get(self.records.ids((yield from self.records.sample(target)))[0])
        response = yield from see(request)
        body = body_of(response)
        # Without fields, as in the page of a proxy, nothing is known about the fields of a record.
        if not is_success(response) or not isinstance(body, dict):
            raise CannotTellError(f"{request.operation}: {describe(response)}")
        try:
            request.parse(response.body)
        except ValidationError as fault:
            return body, parsing.describe(fault)
        return body, ""

    def types(self, target: Target) -> Flow[Finding]:
        """Read the newest record that has ended."""
        fields, fault = yield from target.once(self.whole)
        return differs(fault) if fault else holds(f"{len(fields)} fields")

    def statuses(self, _target: Target) -> Flow[Finding]:
        """List the newest records and compare their statuses."""
        noun, known = self.records.noun, self.records.statuses
        _, found = yield from self.records.listed(limit=50)
        if not found:
            raise SkipError(f"the organization has no {noun}")
        statuses = {str(record.get(f"{noun}_status")) for record in found}
        if statuses - known:
            return differs(f"{len(statuses - known)} unknown")
        return holds(f"{len(statuses)} of {len(known)} statuses")

    def timestamps(self, target: Target) -> Flow[Finding]:
        """Check the size of the timestamps of the newest records."""
        values = [
            record[name]
            for record in (yield from self.records.sample(target))
            for name in ("start_timestamp", "end_timestamp")
            if record.get(name) is not None
        ]
        if not values:
            raise SkipError(f"no {self.records.noun} has a timestamp")
        if all(isinstance(value, (int, float)) and 10**11 <= value < 10**14 for value in values):
            return holds("13 digits")
        return differs("other numbers or types")

    def ends(self, target: Target) -> Flow[Finding]:
        """Search the newest records for one without an end."""
        noun = self.records.noun
        sample = yield from self.records.sample(target)
        without = {str(item.get(f"{noun}_status")) for item in sample if item.get("end_timestamp") is None}
        if without:
            # Another status may be private data.
            known = " or ".join(sorted(without & self.records.statuses))
            return differs(f"none in a {noun} that is {known or 'of an unknown status'}")
        return holds(f"in every {noun}")
