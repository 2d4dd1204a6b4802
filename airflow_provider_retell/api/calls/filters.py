"""The filter grammar of list-calls: every condition is ``{"type", "op", "value"}``, and a call must meet all of them.

Source: https://docs.retellai.com/api-references/list-calls and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_retell.api.body import Body


class TextIs(Body):
    """Text equals, differs, starts with, ends with or contains ``value``."""

    type: Literal["string"]
    op: Literal["eq", "ne", "sw", "ew", "co"]
    value: str


class NumberIs(Body):
    """A number compared with ``value``."""

    type: Literal["number"]
    op: Literal["eq", "ne", "gt", "ge", "lt", "le"]
    value: int | float


class NumberBetween(Body):
    """A number within ``[low, high]``."""

    type: Literal["range"]
    op: Literal["bt"]
    value: Annotated[list[int | float], Field(min_length=2, max_length=2)]


class OneOf(Body):
    """One of the listed texts."""

    type: Literal["enum"]
    op: Literal["in"]
    value: list[str]


class TruthIs(Body):
    """A boolean equals ``value``."""

    type: Literal["boolean"]
    op: Literal["eq"]
    value: bool


class KeyedText(TextIs):
    """As :class:`TextIs`, for one key of an object."""

    key: str


class KeyedNumber(NumberIs):
    """As :class:`NumberIs`, for one key of an object."""

    key: str


class KeyedBetween(NumberBetween):
    """As :class:`NumberBetween`, for one key of an object."""

    key: str


class KeyedOneOf(OneOf):
    """As :class:`OneOf`, for one key of an object."""

    key: str


class KeyedTruth(TruthIs):
    """As :class:`TruthIs`, for one key of an object."""

    key: str


class KeyPresent(Body):
    """The object has (``pr``) or lacks (``np``) the key."""

    type: Literal["present"]
    op: Literal["pr", "np"]
    key: str


Number = Annotated[NumberIs | NumberBetween, Field(discriminator="type")]
TextOrList = Annotated[TextIs | OneOf, Field(discriminator="type")]
Keyed = Annotated[
    KeyedText | KeyedNumber | KeyedBetween | KeyedOneOf | KeyedTruth | KeyPresent, Field(discriminator="type")
]


class AgentIs(Body):
    """Calls of one agent, or of some of its versions."""

    agent_id: str
    version: list[int] | None = None


class ToolCallIs(Body):
    """Calls in which a tool was called like this."""

    name: str | None = None
    type: str | None = None
    success: TruthIs | None = None
    latency_ms: Number | None = None


class FilterCriteria(Body):
    """Conditions on calls; a call must meet every one that is given."""

    agent: list[AgentIs] | None = None
    agent_tag: OneOf | None = None
    batch_call_id: TextIs | None = None
    call_id: TextOrList | None = None
    call_status: OneOf | None = None
    call_successful: TruthIs | None = None
    call_type: OneOf | None = None
    combined_cost: Number | None = None
    custom_analysis_data: list[Keyed] | None = None
    custom_attributes: list[Keyed] | None = None
    data_storage_setting: OneOf | None = None
    direction: OneOf | None = None
    disconnection_reason: OneOf | None = None
    duration_ms: Number | None = None
    dynamic_variables: list[Keyed] | None = None
    e2e_latency_p50: Number | None = None
    end_timestamp: Number | None = None
    from_number: TextIs | None = None
    in_voicemail: TruthIs | None = None
    metadata: list[Keyed] | None = None
    start_timestamp: Number | None = None
    to_number: TextIs | None = None
    tool_calls: list[ToolCallIs] | None = None
    user_sentiment: OneOf | None = None
