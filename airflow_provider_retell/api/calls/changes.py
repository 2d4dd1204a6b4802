"""The change that an update makes to a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from airflow_provider_retell.api.body import Body
from airflow_provider_retell.api.calls.bodies import UpdateCall
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.records.models import RecordSummary


@dataclass(frozen=True)
class CallChange(Change):
    """The fields to change on a call that has ended."""

    kind: ClassVar[str] = "call"
    path: ClassVar[str] = "/v2/update-call/"
    body: ClassVar[type[Body]] = UpdateCall
    record: ClassVar[type[RecordSummary]] = Call
