"""The base class of the sources of rows and of documents.

DAG files import this module, so it imports neither Airflow nor other libraries.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_retell.common.paths import safe_path


class Source(ABC):  # noqa: B024 - its subclasses have an abstract method
    """Base class of the sources. Its text shows no private values.

    :cvar template_fields: the attributes that Airflow renders.
    :cvar shown_fields: the attributes that are not private. None takes all template fields.
    """

    template_fields: Sequence[str] = ()
    shown_fields: Sequence[str] | None = None

    def bind(self, context: Mapping[str, Any]) -> None:  # noqa: B027 - for functions
        """Receive the task's context, before the source is read."""

    def __str__(self) -> str:
        names = self.template_fields if self.shown_fields is None else self.shown_fields
        fields = ", ".join(f"{name}={shown_field(getattr(self, name))}" for name in names)
        return f"{type(self).__name__}({fields})"

    def __repr__(self) -> str:
        return str(self)


def shown_field(value: Any) -> str:
    """Return the text of a source's field without secrets: the same text each time Airflow reads the DAG file."""
    if isinstance(value, str):
        value = safe_path(value)
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    # The representation of other objects may have an address in memory, for example that of a DagParam.
    return f"<{type(value).__name__}>"
