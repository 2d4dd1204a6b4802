"""The base of every resource: its objects in one organization."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_retell.emulator.options import Options

T = TypeVar("T")


def assign(record: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Set *fields* of an object; None removes a field."""
    for name, value in fields.items():
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value


class Backend(ABC, Generic[T]):
    """The objects of one resource in one organization.

    The control API serves it at ``/_emulator/<name of the resource>``.

    :param options: the options of the emulator.
    :cvar noun: the noun for an object, such as "chat", in messages to the user of the emulator.
    :cvar table: the name of the resource in Retell's message for an unknown id, unless ``missing`` has another message.
    :ivar objects: the objects by id. Tests may change them.
    """

    noun: str
    table: str

    def __init__(self, options: Options) -> None:
        self.options = options
        self.objects: dict[str, T] = {}

    def all(self) -> list[Any]:
        """Return all objects, with the fields that Retell's API does not show."""
        return list(self.objects.values())

    def find(self, object_id: str) -> T:
        """Return an object by its id, or raise the error that Retell sends for an unknown one."""
        if object_id not in self.objects:
            raise self.missing(object_id)
        return self.objects[object_id]

    def missing(self, object_id: str) -> ApiError:
        """Return the error that Retell sends for an unknown id."""
        return ApiError(self.options.missing_asset_status, f"Item {object_id} not found from {self.table}")

    def existing(self, object_id: str) -> T:
        """Return an object by its id; LookupError if there is no such object."""
        if object_id not in self.objects:
            raise LookupError(f"there is no {self.noun} {object_id!r}")
        return self.objects[object_id]

    @abstractmethod
    def add(self, **fields: Any) -> dict[str, Any]:
        """Add an object and return it."""

    @abstractmethod
    def edit(self, object_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of an object and return it; LookupError if there is no such object."""

    def clear(self) -> None:
        """Remove all objects and everything that belongs to them."""
        self.objects.clear()

    def catch_up(self, now: Callable[[], float]) -> None:
        """Do the work that depends on the current state and not on a schedule.

        :param now: returns the emulated time in epoch seconds.
        """
