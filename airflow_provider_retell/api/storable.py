"""Base class of results that a task may return: only ids, statuses, counts and times of them get into XCom.

Airflow stores the return value of a task. It calls ``serialize`` of an object that has this method, in Airflow 3.1 and
later only if the object is no pydantic model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class Storable(ABC):
    """An object that goes to XCom without its private values. The task that pulls it gets a dict."""

    @abstractmethod
    def slim(self) -> dict[str, Any]:
        """Return the values that can be stored anywhere."""

    def serialize(self) -> dict[str, Any]:
        """Return the values that Airflow stores in XCom."""
        return self.slim()

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> dict[str, Any]:
        """Return the stored values. Airflow calls this when a task pulls them."""
        return data

    @classmethod
    def qualified_names(cls) -> set[str]:
        """Return the names of all subclasses with their modules."""
        names = set()
        for subclass in cls.__subclasses__():
            names |= {f"{subclass.__module__}.{subclass.__qualname__}", *subclass.qualified_names()}
        return names
