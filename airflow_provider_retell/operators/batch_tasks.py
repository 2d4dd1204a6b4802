"""Selection of the people for a batch of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.phone_numbers.e164 import IGNORE_IN_TASK
from airflow_provider_retell.common.wording import counted, listed
from airflow_provider_retell.operators.same_request import canonical
from airflow_provider_retell.operators.unreachable import OnUnreachable
from airflow_provider_retell.params.rendered import as_phone_number

_SHOWN_INDEXES = 20


@dataclass
class BatchTasks:
    """The tasks of a batch that remain after invalid numbers and do-not-call numbers are left out.

    :ivar tasks: the remaining tasks.
    :ivar skipped: the indexes of the other tasks by reason.
    """

    tasks: list[Any] = field(default_factory=list)
    skipped: dict[str, list[int]] = field(default_factory=lambda: {"invalid_number": [], "do_not_call": []})

    @classmethod
    def select(
        cls,
        tasks: Sequence[Any],
        *,
        do_not_call: Sequence[Any] = (),
        on_invalid_number: OnUnreachable = "fail",
        on_do_not_call: OnUnreachable = "fail",
        allow_duplicates: bool = False,
    ) -> BatchTasks:
        """Return the people to call.

        :raises RetellInputError: if a number is invalid, must not be called, or occurs twice. Its message has indexes,
            and no numbers.
        """
        batch = cls()
        forbidden = {
            as_phone_number(number, f"do_not_call[{index}]") for index, number in enumerate(do_not_call)
        }
        positions: dict[str, int] = {}
        for index, task in enumerate(tasks):
            if not isinstance(task, Mapping) or "to_number" not in task:
                batch.tasks.append(task)  # the checks of the request reject it
                continue
            where = f"tasks[{index}]"
            try:
                number = _number(task, where)
            except RetellInputError as error:
                if on_invalid_number == "fail":
                    raise RetellInputError(
                        f"{error.fault.rstrip('.')}. Correct the number, or set on_invalid_number='skip'"
                    ) from None
                batch.skipped["invalid_number"].append(index)
                continue
            if number in forbidden:
                if on_do_not_call == "fail":
                    raise RetellInputError(
                        f"{where}.to_number is in do_not_call. Remove the task, or set on_do_not_call='skip'"
                    )
                batch.skipped["do_not_call"].append(index)
                continue
            first = positions.setdefault(number, index)
            if first != index and not allow_duplicates:
                raise RetellInputError(
                    f"tasks[{first}] and {where} have the same to_number, so one phone would ring twice. Remove one of "
                    "them, or set allow_duplicates=True"
                )
            batch.tasks.append(task)
        return batch

    def sorted(self) -> list[str]:
        """Return the tasks as texts whose order does not depend on that of the tasks."""
        return sorted(map(canonical, self.tasks))

    def with_marks(self, marks: Mapping[str, str]) -> list[Any]:
        """Return the tasks with *marks* in their metadata, by which later tries find their calls."""
        return [_marked(task, marks) for task in self.tasks]

    def summary(self) -> str:
        """Return the numbers of people for the log."""
        parts = [f"{counted(len(self.tasks), 'call')} accepted" if self.tasks else "no tasks are left"]
        parts += [
            f"{len(indexes)} skipped ({reason}: tasks {listed(indexes, _SHOWN_INDEXES)})"
            for reason, indexes in self.skipped.items()
            if indexes
        ]
        return ", ".join(parts)


def _number(task: Mapping[str, Any], where: str) -> str:
    only_e164 = not task.get("ignore_e164_validation")
    return as_phone_number(
        task["to_number"], f"{where}.to_number", only_e164=only_e164, advice=IGNORE_IN_TASK
    )


def _marked(task: Any, marks: Mapping[str, str]) -> Any:
    metadata = task.get("metadata") if isinstance(task, Mapping) else ()
    if metadata is not None and not isinstance(metadata, Mapping):
        return task  # the checks of the request reject it
    return {**task, "metadata": {**(metadata or {}), **marks}}
