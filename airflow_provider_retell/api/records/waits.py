"""The condition that a call or a chat has reached a state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_retell.api.choices import Until
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.api.records.models import RecordSummary
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.api.waits import Condition, Poll

_ENDS: dict[Until, str] = {
    "ended": "to end",
    "analyzed": "to be analyzed",
    "transfer_ended": "and its transfer to end",
}


@dataclass(frozen=True)
class RecordReached(Condition):
    """A call or chat has ended, or has an analysis. An unknown status does not count as an end.

    :ivar analysis_fields: the fields of the analysis that the result contains.
    """

    kind: ClassVar[Kind[Any]]

    record_id: str
    until: Until = "ended"
    analysis_fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind.name} {self.record_id} {_ENDS[self.until]}"

    def poll(self) -> Flow[Poll]:
        """Read the record once. Its transcript is not parsed, which could block a triggerer's event loop."""
        record: RecordSummary = yield self.kind.get(self.record_id).with_parser(self.kind.summary.read)
        return Poll(record.has_reached(self.until), record.status, record.slim(self.analysis_fields))
