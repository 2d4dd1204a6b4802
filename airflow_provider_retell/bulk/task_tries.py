"""The run of a task with all its tries: its identity in reports, and the outcomes of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from airflow_provider_retell.bulk.digest_map import DigestMap
from airflow_provider_retell.bulk.outcome import Outcome, Result, is_duplicate, line_id

_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_NUMBERS = {outcome: number for number, outcome in enumerate(_OUTCOMES, start=1)}
# A row that a try has processed keeps this outcome, even if a later try finds nothing left to do or fails.
_DONE = frozenset(_NUMBERS[outcome] for outcome in ("updated", "archived", "created", "deleted"))
_EXISTS = frozenset(_NUMBERS[outcome] for outcome in ("created", "updated", "unchanged"))


@dataclass(frozen=True)
class TryId:
    """The identity of one try of a task.

    :ivar task: the DAG, the DAG run and the task, which mapped tasks have in common.
    :ivar index: the map index of a mapped task, and the iteration of a task loop; otherwise an empty text.
    :ivar number: the number of the try, from 1.
    """

    task: str
    index: str
    number: int

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> TryId:
        """Return the identity of the try that runs with *context*."""
        ti, loop = context["ti"], context.get("loop")
        map_index = getattr(ti, "map_index", None)
        parts = [] if map_index is None or map_index < 0 else [map_index]
        # Not the region of the iteration, which a clear can change.
        parts += [] if loop is None else [f"loop-{loop.index}"]
        return cls(f"{ti.dag_id}/{ti.run_id}/{ti.task_id}", "/".join(map(str, parts)), int(ti.try_number))

    def fields(self) -> dict[str, Any]:
        """Return the fields of a report's lines that name the try."""
        return {"task_run": f"{self.task}/{self.index}".rstrip("/"), "try": self.number}

    def owns(self, line: Mapping[str, Any]) -> bool:
        """Return True if a line of a report is of this task run."""
        return bool(line.get("task_run") == self.fields()["task_run"])

    def is_sibling(self, line: Mapping[str, Any]) -> bool:
        """Return True if a line of a report is of another mapped task of the same DAG run."""
        return not self.owns(line) and f"{line.get('task_run')}/".startswith(f"{self.task}/")


class TaskRunCounts:
    """Counts every row once, with its outcome after all tries.

    A row counts as updated, archived, created or deleted if any try has done so, and otherwise with its last outcome.
    The id of the record identifies a row. Rows without an id, duplicates, and contacts that are not known to exist are
    identified by number. The memory holds 13 to 27 bytes for each row of earlier tries.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._earlier = DigestMap()
        self._tries: set[int] = set()

    @property
    def has_earlier(self) -> bool:
        """True if there are rows of earlier tries."""
        return bool(self._tries)

    def add_earlier(self, line: Mapping[str, Any]) -> None:
        """Count a line of an earlier try's report."""
        number = _NUMBERS.get(line.get("outcome", ""), 0) if isinstance(line.get("outcome"), str) else 0
        if number:
            keys = row_keys(line)
            key = self._known(keys)
            number = self._count(keys, number)
            if key is not None:
                self._earlier[key] = 0
            # A later try knows the id of a record that exists. After a failed deletion it may not.
            for key in keys if number == _NUMBERS["failed"] else keys[:1] if number in _EXISTS else keys[-1:]:
                self._earlier[key] = number
            if isinstance(line.get("try"), int):
                self._tries.add(line["try"])

    def add(self, result: Result) -> None:
        """Count a row of this try."""
        number = _NUMBERS[result.outcome]
        if self._tries:
            self._count(row_keys(result.line()), number)
        else:
            self._counts[number] += 1

    def _count(self, keys: Sequence[str], number: int) -> int:
        key = self._known(keys)
        earlier = 0 if key is None else self._earlier[key]
        if earlier in _DONE and number not in _DONE:
            number = earlier
        # Rows in another order can be taken for others. No outcome counts less than 0 rows.
        if self._counts[earlier]:
            self._counts[earlier] -= 1
        self._counts[number] += 1
        return number

    def _known(self, keys: Sequence[str]) -> str | None:
        return next((key for key in keys if self._earlier[key]), None)

    def manifest(self, outcomes: tuple[Outcome, ...]) -> dict[str, int]:
        """Return the number of tries with rows, of rows, and of rows with each of *outcomes*."""
        counts: dict[str, int] = {outcome: self._counts[_NUMBERS[outcome]] for outcome in outcomes}
        return {"tries": len(self._tries) + 1, "rows": sum(self._counts.values()), **counts}


def row_keys(line: Mapping[str, Any]) -> Sequence[str]:
    """Return the texts that may identify a row in all tries. The first that is known does."""
    record_id = line_id(line)
    number = f"row {line.get('row')}"
    if not isinstance(record_id, str) or not record_id or is_duplicate(line):
        return (number,)
    # The id of a contact is unknown before it exists and after its deletion.
    return (record_id, number) if "contact_id" in line else (record_id,)
