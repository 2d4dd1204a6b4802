"""Calls and batches as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-call and the pages of the other call endpoints.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from airflow_provider_retell.api.choices import ANALYSIS_FIELDS, Until
from airflow_provider_retell.api.records.models import RecordState, RecordSummary
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = ["BatchCall", "Call", "CallAnalysis", "CallCost", "CallPage", "CallSummary", "LiveUpdate"]

ENDED_STATUSES = frozenset({"ended", "error", "not_connected"})
"""Values of ``call_status`` that are final."""


class CallAnalysis(ResponseModel):
    """Retell's analysis of a call. A call has none until the analysis is complete."""

    call_summary: str | None = None
    in_voicemail: bool | None = None
    user_sentiment: str | None = None
    call_successful: bool | None = None
    custom_analysis_data: dict[str, Any] | None = None


class CallCost(ResponseModel):
    """The cost of a call. ``combined_cost`` is in US cents, durations are in seconds."""

    combined_cost: float | None = None
    total_duration_seconds: float | None = None
    total_duration_unit_price: float | None = None
    product_costs: list[dict[str, Any]] | None = None


class CallState(RecordState):
    """The fields of a call that an update compares. Parsing only these takes a tenth of the time of a whole call."""

    model_config = ConfigDict(extra="ignore")

    kind: ClassVar[Noun] = "call"
    ended_statuses: ClassVar[frozenset[str]] = ENDED_STATUSES
    identity: ClassVar[tuple[str, ...]] = ("call_id", "call_status")
    loggable: ClassVar[tuple[str, ...]] = ("call_id", "call_status")

    call_id: str
    call_status: str
    """``registered``, ``not_connected``, ``ongoing``, ``ended``, ``error``, or a status that Retell adds later."""
    metadata: dict[str, Any] | None = None
    data_storage_setting: str | None = None
    custom_attributes: dict[str, Any] | None = None
    """Not declared in Retell's SDK; set if the server sends it."""


class CallSummary(RecordSummary, CallState):
    """The fields that show the progress of a call. :meth:`slim` returns those that can be stored anywhere."""

    loggable: ClassVar[tuple[str, ...]] = ("call_id", "call_status", "call_type", "agent_id")
    slim_fields: ClassVar[tuple[str, ...]] = (
        "call_id",
        "call_status",
        "call_type",
        "agent_id",
        "data_storage_setting",
        "disconnection_reason",
        "start_timestamp",
        "end_timestamp",
        "duration_ms",
        "transfer_end_timestamp",
    )
    own_analysis: ClassVar[tuple[str, ...]] = ANALYSIS_FIELDS

    call_type: str | None = None
    agent_id: str | None = None
    disconnection_reason: str | None = None
    start_timestamp: int | float | None = None
    end_timestamp: int | float | None = None
    duration_ms: int | float | None = None
    transfer_end_timestamp: int | float | None = None
    call_cost: Any = None
    call_analysis: Any = None

    @property
    def transfer_has_ended(self) -> bool:
        """True if the call is over, and the conversation after a transfer is over too.

        Retell sets ``transfer_end_timestamp`` at the end of the transfer.
        """
        transferred = self.disconnection_reason == "call_transfer"
        return self.has_ended and not (transferred and self.transfer_end_timestamp is None)

    def has_reached(self, until: Until) -> bool:
        """Return True if the call has reached the state *until*."""
        return self.transfer_has_ended if until == "transfer_ended" else super().has_reached(until)


class Call(CallSummary):
    """A voice call, as get-call, update-call and list-calls return it.

    Timestamps are in epoch milliseconds, durations in milliseconds. Listed calls have no transcripts. The
    ``access_token`` of a web call, a credential to join it, is always None.
    """

    model_config = ConfigDict(extra="allow")

    agent_version: int | str | None = None
    agent_name: str | None = None
    direction: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    call_analysis: CallAnalysis | None = None
    call_cost: CallCost | None = None
    transcript: str | None = None
    recording_url: str | None = None
    public_log_url: str | None = None
    access_token: Annotated[None, BeforeValidator(lambda _token: None)] = Field(default=None, exclude=True)


class CallPage(Page[Call]):
    """One page of list-calls."""


class BatchCall(ResponseModel):
    """A batch of calls that Retell has accepted. To find its calls, list calls by ``batch_call_id``."""

    loggable: ClassVar[tuple[str, ...]] = ("batch_call_id", "total_task_count")

    batch_call_id: str
    name: str | None = None
    from_number: str | None = None
    scheduled_timestamp: int | float | None = None
    total_task_count: int | float | None = None


class LiveUpdate(ResponseModel):
    """The response of update-live-call."""

    loggable: ClassVar[tuple[str, ...]] = ("success",)

    success: bool
