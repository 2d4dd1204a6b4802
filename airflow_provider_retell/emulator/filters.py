"""The ``filter_criteria`` of listings. An object matches if it passes all conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.emulator.conditions import MISSING, Test, compile_condition, inside
from airflow_provider_retell.emulator.paging import MAX_PAGE
from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.schema import BOOLEAN, STRING, Schema, closed

Record = Mapping[str, Any]
Filter = Callable[[Record], bool]

AGENTS: Schema = {
    "type": "array",
    "items": closed(
        {"agent_id": STRING, "version": {"type": "array", "items": {"type": "number"}}}, "agent_id"
    ),
}
"""The schema of the condition ``agent``."""


def list_body(criteria: Schema) -> Schema:
    """Return the schema of the body of list-calls or list-chats.

    :param criteria: the schema of ``filter_criteria``.
    """
    properties: dict[str, Any] = {
        "filter_criteria": criteria,
        "sort_order": {"type": "string", "enum": ("ascending", "descending")},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
        "pagination_key": {"type": "string", "minLength": 1},
        "skip": {"type": "integer", "minimum": 0},
        "include_total": BOOLEAN,
    }
    return closed(properties, excludes=(("skip", "pagination_key"),))


@dataclass(frozen=True)
class FilterFields:
    """Where the conditions of a listing find their values, unless that is the field of the same name.

    :ivar nested: conditions on fields of nested objects, or on their keys.
    :ivar special: conditions of another form; each returns the tests for its specification.
    """

    nested: Mapping[str, Callable[[Record], Any]] = field(default_factory=dict)
    special: Mapping[str, Callable[[Any], list[Filter]]] = field(default_factory=dict)

    def compile(self, criteria: Mapping[str, Any]) -> list[Filter]:
        """Return the tests that an object must pass.

        :param criteria: a ``filter_criteria`` that matches the schema.
        """
        tests: list[Filter] = []
        for name, spec in criteria.items():
            get = self.nested.get(name) or inside(name)
            if name in self.special:
                tests.extend(self.special[name](spec))
            elif isinstance(spec, list):
                tests.extend(_keyed(get, entry) for entry in spec)
            else:
                tests.append(_plain(get, compile_condition(spec)))
        return tests


def _plain(get: Callable[[Record], Any], test: Test) -> Filter:
    return lambda record: test(get(record))


def _keyed(get: Callable[[Record], Any], spec: Mapping[str, Any]) -> Filter:
    key, test = spec["key"], compile_condition(spec)

    def matches(record: Record) -> bool:
        values = get(record)
        return test(values.get(key, MISSING) if isinstance(values, Mapping) else MISSING)

    return matches


def take_ids(criteria: dict[str, Any], name: str, limit: int | None) -> list[str] | None:
    """Remove the condition with the ids to list, and return them; None if there is no such condition.

    :param name: the name of the condition.
    :param limit: the number of ids that are accepted; None for no limit.
    """
    if criteria.get(name, {}).get("type") != "enum":
        return None
    ids: list[str] = criteria.pop(name)["value"]
    if limit is not None and len(ids) > limit:
        raise ApiError(400, f"body/filter_criteria/{name}/value must NOT have more than {limit} items")
    return list(dict.fromkeys(ids))


def agents(version_field: str, wanted: list[dict[str, Any]]) -> list[Filter]:
    """Return the test of the condition ``agent``.

    :param version_field: the field with the version of the agent.
    """

    def matches(record: Record) -> bool:
        return any(
            record.get("agent_id") == agent["agent_id"]
            and ("version" not in agent or record.get(version_field) in agent["version"])
            for agent in wanted
        )

    return [matches]
