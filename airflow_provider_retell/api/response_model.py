"""Base classes of the models of responses.

Only the fields that identify an object are required. Models keep fields that Retell adds later (``model_extra``), and
statuses and reasons are plain text, because Retell adds values without notice. ``repr`` shows only ids and statuses,
because other fields may contain transcripts, links or phone numbers.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.storable import Storable

M = TypeVar("M", bound="ResponseModel")
I = TypeVar("I", bound="ResponseModel")  # noqa: E741 - an item
P = TypeVar("P", bound="Page[Any]")


class ResponseModel(Storable, BaseModel):
    """A response, or an object in a response.

    A task that returns one stores only :meth:`slim` in XCom.

    :cvar identity: the text fields that even a malformed object must have; the first is its id.
    :cvar loggable: the fields that ``repr`` shows.
    """

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    identity: ClassVar[tuple[str, ...]] = ()
    loggable: ClassVar[tuple[str, ...]] = ()
    # Airflow 3.1 and later store all fields of a pydantic model in XCom, unless it is a dataclass too. Then they call
    # `serialize`. The mark makes this class one for Airflow; `asdict` of it is empty.
    __dataclass_fields__: ClassVar[dict[str, Any]] = {}

    @classmethod
    def read(cls: type[M], body: bytes) -> M:
        """Parse *body*; raise :class:`pydantic.ValidationError` if it is not as documented."""
        return parsing.read(cls, body)

    def slim(self) -> dict[str, Any]:
        """Return ids, statuses, counts and times, but no content: the values that can be stored anywhere."""
        slim: dict[str, Any] = {}
        for name in self.loggable:
            if isinstance(value := getattr(self, name, None), str | int | float):
                slim[name] = value
        for name in type(self).model_fields:
            value = getattr(self, name, None)
            if isinstance(value, int | float) and name in _numbers(type(self)):
                slim[name] = value
            elif isinstance(value, Storable):
                slim[name] = value.slim()
            elif isinstance(value, list) and any(isinstance(item, Storable) for item in value):
                slim[name] = [item.slim() for item in value if isinstance(item, Storable)]
        return slim

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [(name, value) for name in self.loggable if (value := getattr(self, name, None))]

    def __str__(self) -> str:
        return repr(self)


@functools.cache
def _numbers(model: type[ResponseModel]) -> frozenset[str]:
    """Return the names of the fields that are documented as numbers. A malformed phone number may be a number too."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if {int, float} & {field.annotation, *get_args(field.annotation)}
        and str not in get_args(field.annotation)
    )


class Page(ResponseModel, Generic[I]):
    """One page of a listing."""

    loggable: ClassVar[tuple[str, ...]] = ("has_more",)

    _malformed: dict[str, str] = PrivateAttr(default_factory=dict)

    items: list[I]
    has_more: bool = False
    pagination_key: str | None = None
    total: int | None = None

    @property
    def malformed(self) -> dict[str, str]:
        """The faults of items that are not as documented, by id. Their fields in ``items`` are unparsed."""
        return self._malformed

    @classmethod
    def read(cls: type[P], body: bytes) -> P:
        """Parse *body*. A malformed item does not make the others unreadable."""
        try:
            return parsing.read(cls, body)
        except ValidationError as fault:
            (kind,) = get_args(cls.model_fields["items"].annotation)
            if parsing.is_truncated(fault) or not kind.identity:
                raise
            value = parsing.loads(body)
            if not isinstance(value, dict) or not isinstance(value.get("items"), list):
                raise
        items = [parsing.read_loosely(kind, item, kind.identity) for item in value["items"]]
        page = cls.model_validate({**value, "items": []})
        page.items.extend(item for item, _ in items)
        page._malformed.update((getattr(item, kind.identity[0]), fault) for item, fault in items if fault)
        return page
