"""What Retell answers, typed.

Only what identifies a call is required. Every model keeps fields that Retell adds later (``model_extra``), and
statuses and reasons are plain text, because Retell adds values to its enumerations without notice. Printing an
answer shows ids and statuses only: the rest may be a transcript, a link or a phone number.

Source of the fields: https://docs.retellai.com/api-references/get-call and the pages beside it.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from airflow_provider_retell.api import reading

__all__ = [
    "ApiKeyInfo",
    "BatchCall",
    "Call",
    "CallAnalysis",
    "CallCost",
    "CallPage",
    "Concurrency",
    "LiveUpdate",
]

ENDED_STATUSES = frozenset({"ended", "error", "not_connected"})
"""Values of ``call_status`` after which a call does not change its status any more."""

_SHOWN = frozenset(
    {
        "call_id",
        "call_status",
        "call_type",
        "agent_id",
        "batch_call_id",
        "total_task_count",
        "has_more",
        "success",
    }
)


A = TypeVar("A", bound="Answer")


class Answer(BaseModel):
    """Base of all answers: unknown fields are kept, and ``repr`` shows nothing private."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    @classmethod
    def read(cls: type[A], body: bytes) -> A:
        """Return the answer in *body*; raise :class:`pydantic.ValidationError` if it is not as documented."""
        return reading.read(cls, body)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        shown: list[tuple[str | None, Any]] = [
            (name, value)
            for name in type(self).model_fields
            if name in _SHOWN and (value := getattr(self, name))
        ]
        return shown

    def __str__(self) -> str:
        return repr(self)


class CallAnalysis(Answer):
    """What Retell concluded about a call; absent until its analysis has finished."""

    call_summary: str | None = None
    in_voicemail: bool | None = None
    user_sentiment: str | None = None
    call_successful: bool | None = None
    custom_analysis_data: dict[str, Any] | None = None


class CallCost(Answer):
    """What a call cost. ``combined_cost`` is in US cents, durations in seconds."""

    combined_cost: float | None = None
    total_duration_seconds: float | None = None
    total_duration_unit_price: float | None = None
    product_costs: list[dict[str, Any]] | None = None


class CallState(Answer):
    """What an update is about, and nothing else of a call: a tenth of the work of reading all of it."""

    model_config = ConfigDict(extra="ignore")

    call_id: str
    call_status: str
    """``registered``, ``not_connected``, ``ongoing``, ``ended``, ``error``, or what Retell adds."""
    metadata: dict[str, Any] | None = None
    data_storage_setting: str | None = None
    custom_attributes: dict[str, Any] | None = None
    """Not declared in Retell's typed call; here when the server sends it."""

    @property
    def has_ended(self) -> bool:
        """True when the call is over, whether or not anybody answered it."""
        return self.call_status in ENDED_STATUSES


class CallProgress(CallState):
    """How far a call is."""

    call_analysis: Any = None

    @property
    def is_analyzed(self) -> bool:
        """True when Retell's analysis of the call is there."""
        return self.call_analysis is not None


class Call(CallProgress):
    """A voice call, as get-call, update-call and list-calls return it.

    Timestamps are epoch milliseconds, durations milliseconds. Listings leave the transcripts out. The
    ``access_token`` of a web call, a credential to join it, is dropped on arrival.
    """

    model_config = ConfigDict(extra="allow")

    call_type: str | None = None
    agent_id: str | None = None
    agent_version: int | str | None = None
    agent_name: str | None = None
    direction: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    start_timestamp: int | float | None = None
    end_timestamp: int | float | None = None
    duration_ms: int | float | None = None
    disconnection_reason: str | None = None
    call_analysis: CallAnalysis | None = None
    call_cost: CallCost | None = None
    transcript: str | None = None
    recording_url: str | None = None
    public_log_url: str | None = None
    access_token: Annotated[None, BeforeValidator(lambda _token: None)] = Field(default=None, exclude=True)

    def slim(self) -> dict[str, Any]:
        """Return what may be stored anywhere: ids, status, settings and times; no contents of the call."""
        names = (
            "call_id",
            "call_status",
            "call_type",
            "agent_id",
            "data_storage_setting",
            "disconnection_reason",
            "start_timestamp",
            "end_timestamp",
            "duration_ms",
        )
        return {name: value for name in names if (value := getattr(self, name)) is not None} | {
            "metadata_keys": sorted(map(str, self.metadata or {}))
        }


C = TypeVar("C", bound=CallState)


P = TypeVar("P", bound="Page[Any]")


class Page(Answer, Generic[C]):
    """One page of list-calls."""

    _malformed: dict[str, str] = PrivateAttr(default_factory=dict)

    items: list[C]
    has_more: bool = False
    pagination_key: str | None = None
    total: int | None = None

    @property
    def malformed(self) -> dict[str, str]:
        """What is wrong with calls that are not as documented, by id; they stand in ``items`` as they came."""
        return self._malformed

    @classmethod
    def read(cls: type[P], body: bytes) -> P:
        """Return the page in *body*; a call that is not as documented keeps none of the others from being read."""
        try:
            return reading.read(cls, body)
        except ValidationError as fault:
            if reading.is_broken(fault):
                raise
            value = reading.loads(body)
            if not isinstance(value, dict) or not isinstance(value.get("items"), list):
                raise
        (kind,) = get_args(cls.model_fields["items"].annotation)
        calls = [reading.read_loosely(kind, item) for item in value["items"]]
        page = cls.model_validate({**value, "items": []})
        page.items.extend(call for call, _ in calls)
        page._malformed.update((call.call_id, wrong) for call, wrong in calls if wrong)
        return page


class CallPage(Page[Call]):
    """One page of list-calls, with the calls as they come."""


class StatePage(Page[CallState]):
    """One page of list-calls, with no more of the calls than updates need."""


class BatchCall(Answer):
    """A batch of calls that Retell has accepted. No ids of single calls: list them by ``batch_call_id``."""

    batch_call_id: str
    name: str | None = None
    from_number: str | None = None
    scheduled_timestamp: int | float | None = None
    total_task_count: int | float | None = None


class LiveUpdate(Answer):
    """The answer of update-live-call."""

    success: bool


class Concurrency(Answer):
    """How many calls the organization may have at once, and has now."""

    current_concurrency: int
    concurrency_limit: int
    base_concurrency: int | None = None
    purchased_concurrency: int | None = None
    concurrency_purchase_limit: int | None = None
    remaining_purchase_limit: int | None = None
    concurrency_burst_enabled: bool | None = None
    concurrency_burst_limit: int | None = None
    reserved_inbound_concurrency: int | None = None

    @property
    def room(self) -> int:
        """How many more outbound calls can be placed now, without burst; what is reserved for inbound is not room."""
        return max(
            self.concurrency_limit - (self.reserved_inbound_concurrency or 0) - self.current_concurrency, 0
        )


class ApiKeyInfo(Answer):
    """Whose API key this is."""

    org_id: str
    org_name: str | None = None
    api_key_name: str | None = None
