"""Phone numbers in the rendered fields of operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.params.masked import unmask


def phone_number(value: Any, name: str, *, only_e164: bool = True) -> str:
    """Return a rendered phone number, sealed or not."""
    from airflow_provider_retell.api import phone_numbers as numbers

    return numbers.phone_number(unmask(value), name, only_e164=only_e164)


def batch_target(task: Any, index: int) -> Any:
    """Return a task of a batch, with the number that native rendering took the '+' from as text again."""
    if not isinstance(task, Mapping) or "to_number" not in task:
        return task  # is refused with all the others
    only_e164 = not task.get("ignore_e164_validation")
    number = phone_number(task["to_number"], f"tasks[{index}].to_number", only_e164=only_e164)
    return {**task, "to_number": number}
