"""Base classes of the models of responses.

Only the fields that identify an object are required. Models keep fields that Retell adds later (``model_extra``), and
statuses and reasons are plain text, because Retell adds values without notice. ``repr`` shows only ids and statuses,
because other fields may contain transcripts, links or phone numbers.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from airflow_provider_retell.api import parsing

M = TypeVar("M", bound="ResponseModel")
I = TypeVar("I", bound="ResponseModel")  # noqa: E741 - an item
P = TypeVar("P", bound="Page[Any]")


class ResponseModel(BaseModel):
    """A response, or an object in a response.

    :cvar identity: the text fields that even a malformed object must have; the first is its id.
    :cvar loggable: the fields that ``repr`` shows.
    """

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    identity: ClassVar[tuple[str, ...]] = ()
    loggable: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls: type[M], body: bytes) -> M:
        """Parse *body*; raise :class:`pydantic.ValidationError` if it is not as documented."""
        return parsing.read(cls, body)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [(name, value) for name in self.loggable if (value := getattr(self, name, None))]

    def __str__(self) -> str:
        return repr(self)


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
