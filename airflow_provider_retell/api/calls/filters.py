"""The filter of list-calls: conditions of the form ``{"type": ..., "op": ..., "value": ...}``.

A call must meet all conditions. Source: https://docs.retellai.com/api-references/list-calls and the types of Retell's
Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_retell.api.body import Body


class TextIs(Body):
    """Text that equals, differs from, starts with (``sw``), ends with (``ew``) or contains (``co``) ``value``."""

    type: Literal["string"]
    op: Literal["eq", "ne", "sw", "ew", "co"]
    value: str


class NumberIs(Body):
    """A number that is compared with ``value``."""

    type: Literal["number"]
    op: Literal["eq", "ne", "gt", "ge", "lt", "le"]
    value: int | float


class NumberBetween(Body):
    """A number between two values, both included."""

    type: Literal["range"]
    op: Literal["bt"]
    value: Annotated[list[int | float], Field(min_length=2, max_length=2)]


class OneOf(Body):
    """One of several texts."""

    type: Literal["enum"]
    op: Literal["in"]
    value: list[str]


class TruthIs(Body):
    """A boolean that equals ``value``."""

    type: Literal["boolean"]
    op: Literal["eq"]
    value: bool


class KeyedText(TextIs):
    """:class:`TextIs` for one key of an object."""

    key: str


class KeyedNumber(NumberIs):
    """:class:`NumberIs` for one key of an object."""

    key: str


class KeyedBetween(NumberBetween):
    """:class:`NumberBetween` for one key of an object."""

    key: str


class KeyedOneOf(OneOf):
    """:class:`OneOf` for one key of an object."""

    key: str


class KeyedTruth(TruthIs):
    """:class:`TruthIs` for one key of an object."""

    key: str


class KeyPresent(Body):
    """An object that has (``pr``) or lacks (``np``) the key."""

    type: Literal["present"]
    op: Literal["pr", "np"]
    key: str


Number = Annotated[NumberIs | NumberBetween, Field(discriminator="type")]
TextOrList = Annotated[TextIs | OneOf, Field(discriminator="type")]
Keyed = Annotated[
    KeyedText | KeyedNumber | KeyedBetween | KeyedOneOf | KeyedTruth | KeyPresent, Field(discriminator="type")
]


class AgentIs(Body):
    """A call of one agent, optionally of certain versions."""

    agent_id: str
    version: list[int] | None = None


class ToolCallIs(Body):
    """A tool call during the call."""

    name: str | None = None
    type: str | None = None
    success: TruthIs | None = None
    latency_ms: Number | None = None


class FilterCriteria(Body):
    """Conditions on a call, which must meet all that are set."""

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
