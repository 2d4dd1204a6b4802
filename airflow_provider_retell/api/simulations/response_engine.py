"""The response engine that simulation tests run against: a Retell LLM or a conversation flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.request import check_id, given

ID_FIELDS: Mapping[str, str] = {"retell-llm": "llm_id", "conversation-flow": "conversation_flow_id"}
"""The field with the id of a response engine, by its type."""


@dataclass(frozen=True)
class Engine:
    """A response engine that can be simulated.

    :ivar version: its version, or None for the latest.
    """

    type: str
    engine_id: str
    version: int | None = None

    def __str__(self) -> str:
        kind = "LLM" if self.type == "retell-llm" else "conversation flow"
        version = "" if self.version is None else f" version {self.version}"
        return f"{kind} {self.engine_id}{version}"

    @classmethod
    def of(cls, fields: Mapping[str, Any], owner: str = "response_engine") -> Engine:
        """Return the engine that Retell's field ``response_engine`` describes.

        :param owner: names the object with the field, in messages.
        :raises RetellInputError: if this kind of engine cannot be simulated.
        """
        kind = str(fields.get("type"))
        if kind not in ID_FIELDS:
            known = kind if kind == "custom-llm" else "unknown"
            raise RetellInputError(
                f"{owner} has a response engine of the type {known!r}, which Retell cannot simulate. Only Retell LLMs "
                "and conversation flows can be simulated"
            )
        name = ID_FIELDS[kind]
        return cls(kind, check_id(fields.get(name), name), _version(fields.get("version"), owner))

    def fields(self, *, version: bool = True) -> dict[str, Any]:
        """Return the engine as Retell's field ``response_engine``.

        :param version: False to leave the version out.
        """
        number = self.version if version else None
        return given(**{"type": self.type, ID_FIELDS[self.type]: self.engine_id, "version": number})


def _version(value: Any, owner: str) -> int | None:
    # Retell's SDK declares the version as a float.
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise RetellInputError(f"{owner}: the version of the response engine must be a whole number")
