"""The bodies of listings, and the conditions of their filters, of the form ``{"type": ..., "op": ..., "value": ...}``.

Source: https://docs.retellai.com/api-references/list-calls and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_retell.api.body import Body, Text


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
    """A call or chat of one agent, optionally of certain versions."""

    agent_id: str
    version: list[int] | None = None


class RecordFilter(Body):
    """The conditions that calls and chats have in common. A record must meet all that are set."""

    agent: list[AgentIs] | None = None
    agent_tag: OneOf | None = None
    combined_cost: Number | None = None
    custom_analysis_data: list[Keyed] | None = None
    custom_attributes: list[Keyed] | None = None
    data_storage_setting: OneOf | None = None
    direction: OneOf | None = None
    disconnection_reason: OneOf | None = None
    duration_ms: Number | None = None
    end_timestamp: Number | None = None
    start_timestamp: Number | None = None
    user_sentiment: OneOf | None = None


class ListRecords(Body):
    """Body of list-calls and list-chats without the filter. ``sort_order`` always refers to the start time."""

    sort_order: Literal["ascending", "descending"] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    pagination_key: Text | None = None
    skip: Annotated[int, Field(ge=0)] | None = None
    include_total: bool | None = None
