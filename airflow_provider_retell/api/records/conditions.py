"""The conditions of list filters, of the form ``{"type": ..., "op": ..., "value": ...}``.

Source: https://docs.retellai.com/api-references/list-calls and the types of Retell's Python SDK.
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
    """A call or chat of one agent, optionally of certain versions."""

    agent_id: str
    version: list[int] | None = None
