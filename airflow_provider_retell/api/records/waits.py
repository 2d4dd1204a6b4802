"""The condition that a call or a chat has reached a state."""

from __future__ import annotations

from abc import abstractmethod

from airflow_provider_retell.api.choices import Until
from airflow_provider_retell.api.records.models import RecordSummary
from airflow_provider_retell.api.request import Flow, Request
from airflow_provider_retell.api.waits import Condition, Poll


class RecordReached(Condition):
    """A call or chat has ended, or has an analysis. An unknown status does not count as an end.

    :ivar analysis_fields: the fields of the analysis that the result contains.
    """

    until: Until
    analysis_fields: tuple[str, ...]

    @abstractmethod
    def request(self) -> Request[RecordSummary]:
        """Return the request that reads the record without its transcript.

        Parsing a long transcript would block a triggerer's event loop.
        """

    def poll(self) -> Flow[Poll]:
        """Read the record once."""
        record: RecordSummary = yield self.request()
        return Poll(record.has_reached(self.until), record.status, record.slim(self.analysis_fields))
