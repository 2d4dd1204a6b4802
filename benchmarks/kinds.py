"""The kinds of records that the bulk operators change, as the benchmarks use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_retell.operators import (
    BulkUpdateCallOperator,
    BulkUpdateChatOperator,
    SyncContactsOperator,
)
from common import Server


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of records.

    :ivar name: its name in the API.
    :ivar operator: the class of the operator.
    :ivar key: the column that names a record.
    :ivar pattern: the format of the column's values, by number.
    :ivar path: the path of an update, before the id of the record.
    :ivar values: the field of a record that the benchmarks change.
    :ivar arguments: more arguments of the operator.
    """

    name: str
    operator: Any
    key: str
    pattern: str
    path: str
    values: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}s"

    @property
    def writing(self) -> str:
        """The route of an update."""
        return f"update-{self.name}"

    @property
    def listing(self) -> str:
        """The route that lists records."""
        return f"list-{self.name}s"

    def fill(self, server: Server, count: int, *, minimal: bool = True) -> list[str]:
        """Replace all records of the server; return the ids of the new ones."""
        ids: list[str] = server(str(self), count, *([minimal] if self is CALLS else []))
        return ids

    def row(self, number: int, **values: object) -> dict[str, object]:
        """Return the row for a record."""
        return {self.key: self.pattern.format(number), **values}

    def task(self, rows: Any, **arguments: Any) -> Any:
        """Return a task that changes the records of *rows*."""
        return self.operator(task_id="bulk", rows=rows, **self.arguments, **arguments)

    def write_rows(self, path: Path, tiers: Iterable[str]) -> None:
        """Write a row for each of *tiers* to a file."""
        key = f'{{"{self.key}": "{self.pattern}", "tier": "'.replace("{", "{{", 1)
        with path.open("w") as file:
            for number, tier in enumerate(tiers):
                file.write(f'{key.format(number)}{tier}"}}\n')


CALLS = Kind("call", BulkUpdateCallOperator, "call_id", "call_{}", "/v2/update-call/", "metadata")
CHATS = Kind("chat", BulkUpdateChatOperator, "chat_id", "chat_{}", "/update-chat/", "metadata")
CONTACTS = Kind(
    "contact",
    SyncContactsOperator,
    "phone_number",
    "+1415{:07}",
    "/update-contact/",
    "custom_fields",
    {"columns": ["tier"], "max_changed_ratio": 1},  # the ratio must not stop a run that changes all
)
