"""Differences between two snapshots, as names without values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from airflow_provider_retell.api.agents.snapshot import PHONE_NUMBERS, Files
from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.api.phone_numbers.models import last_digits

Kind = Literal["agent", "test_case", "phone_number"]

_ROLES = ("published", "draft")


@dataclass(frozen=True)
class Difference:
    """One object that was added, removed or changed since the previous snapshot.

    :ivar kind: ``agent`` (with its response engine), ``test_case`` or ``phone_number``.
    :ivar id: its id; of a phone number the last four digits.
    :ivar name: its name or nickname.
    :ivar fields: the names of its changed fields, such as ``published.llm.general_prompt``.
    """

    kind: Kind
    id: str
    name: str | None
    change: Literal["added", "removed", "changed"]
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = f"{self.name} ({self.id})" if self.name else self.id
        fields = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{self.kind.replace('_', ' ')} {name} {self.change}{fields}"

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as JSON values, for XCom."""
        return {**asdict(self), "fields": list(self.fields)}


def differences(old: Files, new: Files) -> list[Difference]:
    """Return the objects that differ between the files of two snapshots.

    Files that both snapshots have with the same content can be left out of both.
    """
    found: list[Difference] = []
    folders = sorted({name.rpartition("/")[0] for name in old.keys() | new.keys()} - {""})
    for folder in folders:
        found += _agent(folder, old, new)
        file = f"{folder}/test_cases.json"
        found += _objects("test_case", old.get(file) or [], new.get(file) or [])
    found += _objects("phone_number", old.get(PHONE_NUMBERS) or [], new.get(PHONE_NUMBERS) or [])
    return found


def _agent(folder: str, old: Files, new: Files) -> list[Difference]:
    agent_id = folder.rpartition("/")[2]
    file = f"{folder}/agent.json"
    name = (new.get(file) or old.get(file) or {}).get("agent_name")
    if (file in old) != (file in new):
        return [Difference("agent", agent_id, name, "added" if file in new else "removed")]
    fields = _changed(old.get(file) or {}, new.get(file) or {})
    for part in ("llm", "conversation_flow"):
        file = f"{folder}/{part}.json"
        fields += [
            ".".join((role, part, *rest))
            for role, *rest in (
                name.split(".", 1) for name in _changed(old.get(file) or {}, new.get(file) or {})
            )
        ]
    return [Difference("agent", agent_id, name, "changed", tuple(sorted(fields)))] if fields else []


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that differ. Versions of an agent or engine are compared field by field."""
    names = []
    for name in old.keys() | new.keys():
        left, right = old.get(name), new.get(name)
        if same_json(left, right):
            continue
        if name in _ROLES and isinstance(left, dict) and isinstance(right, dict):
            names += [f"{name}.{inner}" for inner in _changed(left, right)]
        else:
            names.append(name)
    return names


def _objects(kind: Kind, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Difference]:
    id_name = "test_case_definition_id" if kind == "test_case" else "phone_number"
    before, after = ({item[id_name]: item for item in items} for items in (old, new))
    found = []
    for object_id in sorted(before.keys() | after.keys()):
        item = after.get(object_id) or before[object_id]
        shown = object_id if kind == "test_case" else f"…{last_digits(object_id)}"
        name = item.get("name" if kind == "test_case" else "nickname")
        if object_id in before and object_id in after:
            fields = tuple(sorted(_changed(before[object_id], after[object_id])))
            if fields:
                found.append(Difference(kind, shown, name, "changed", fields))
        else:
            found.append(Difference(kind, shown, name, "added" if object_id in after else "removed"))
    return found
