"""The response engines of one kind in one organization, with all their versions."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend, assign
from airflow_provider_retell.emulator.engines import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_retell.emulator.engines.samples import Engine
    from airflow_provider_retell.emulator.options import Options


@dataclass(frozen=True)
class Kind:
    """A kind of response engine.

    :ivar type: the ``type`` of an agent's ``response_engine``, and its name in the message for an unknown id.
    :ivar noun: the noun for an engine in messages.
    :ivar id_name: the field with its id.
    :ivar prefix: the first part of its ids.
    :ivar shows_published: True if the API returns ``is_published``.
    :ivar sample: returns the settings of a new engine.
    """

    type: str
    noun: str
    id_name: str
    prefix: str
    shows_published: bool
    sample: Callable[[], Engine]


LLM = Kind("retell-llm", "LLM", "llm_id", "llm", True, samples.llm)
FLOW = Kind(
    "conversation-flow",
    "conversation flow",
    "conversation_flow_id",
    "conversation_flow",
    False,
    samples.conversation_flow,
)


class EngineBackend(Backend["dict[int, Engine]"]):
    """The engines of one kind, each a dictionary of its versions by number.

    :param kind: the kind.
    """

    def __init__(self, kind: Kind, options: Options) -> None:
        super().__init__(options)
        self.kind = kind
        self.noun, self.table = kind.noun, kind.type

    def find_version(self, engine_id: str, version: int | None = None) -> Engine:
        """Return one version of an engine, by default the latest, or raise the 404 for an unknown one."""
        versions = self.objects.get(engine_id, {})
        number = max(versions, default=0) if version is None else version
        if number not in versions:
            raise self.missing(engine_id)
        return versions[number]

    def visible(self, engine: Engine) -> Engine:
        """Return *engine* as the API shows it."""
        if self.kind.shows_published:
            return engine
        return {name: value for name, value in engine.items() if name != "is_published"}

    def all(self) -> list[dict[str, Any]]:
        """Return all versions of all engines."""
        return [engine for versions in self.objects.values() for engine in versions.values()]

    def add(self, **fields: Any) -> Engine:
        """Add an engine and return its version 0.

        :param fields: fields that differ from the sample, or the id; None leaves a field out.
        """
        engine_id = fields.pop(self.kind.id_name, None) or samples.new_id(self.kind.prefix)
        if engine_id in self.objects:
            raise ValueError(f"{self.kind.id_name} {engine_id!r} exists already")
        version = fields.pop("version", 0)
        engine = {
            self.kind.id_name: engine_id,
            "version": version,
            "is_published": False,
            "last_modification_timestamp": self.options.clock.now_ms(),
            **self.kind.sample(),
            **fields,
        }
        self.objects[engine_id] = {
            version: {name: value for name, value in engine.items() if value is not None}
        }
        return self.objects[engine_id][version]

    def edit(self, object_id: str, *, version: int | None = None, **fields: Any) -> Engine:
        """Change fields of a version, published or not, and return it.

        :param version: the version number. Default: the latest.
        :param fields: the new values; None removes a field.
        """
        versions = self.objects.get(object_id, {})
        number = max(versions, default=0) if version is None else version
        if number not in versions:
            raise LookupError(f"there is no version {number} of {object_id!r}")
        return self.change(versions[number], fields)

    def change(self, engine: Engine, fields: Mapping[str, Any]) -> Engine:
        """Set *fields*; None removes a field. That null removes a field of any name is our guess."""
        assign(engine, {name: self._with_defaults(name, value) for name, value in fields.items()})
        engine["last_modification_timestamp"] = self.options.clock.now_ms()
        return engine

    def _with_defaults(self, name: str, value: Any) -> Any:
        if name in ("general_tools", "tools") and isinstance(value, list):
            defaults = self.options.tool_defaults
            return [{**defaults, **tool} if isinstance(tool, dict) else tool for tool in value]
        return value

    def fork(self, engine_id: str, base: int | None, version: int) -> None:
        """Copy version *base* of an engine, or its latest, to the draft *version*."""
        self.objects[engine_id][version] = {
            **copy.deepcopy(self.find_version(engine_id, base)),
            "version": version,
            "is_published": False,
            "last_modification_timestamp": self.options.clock.now_ms(),
        }
