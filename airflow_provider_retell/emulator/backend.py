"""The interface that every resource implements: its objects in one organization."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def assign(record: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Set *fields* of an object; None removes a field."""
    for name, value in fields.items():
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value


class Backend(ABC):
    """The objects of one resource in one organization.

    The control API serves it at ``/_emulator/<name of the resource>``.
    """

    @abstractmethod
    def all(self) -> list[dict[str, Any]]:
        """Return all objects, with the fields that Retell's API does not show."""

    @abstractmethod
    def add(self, **fields: Any) -> dict[str, Any]:
        """Add an object and return it."""

    @abstractmethod
    def edit(self, object_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of an object and return it; LookupError if there is no such object."""

    @abstractmethod
    def clear(self) -> None:
        """Remove all objects and everything that was scheduled for them."""

    def catch_up(self, now: Callable[[], float]) -> None:  # noqa: B027 - most need the timeline only
        """Do the work that depends on the current state and not on a schedule.

        :param now: returns the emulated time in epoch seconds.
        """
