"""Phone numbers as templates render them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.operators.sealed import unsealed


def phone_number(value: Any, name: str, *, only_e164: bool = True) -> str:
    """Return a rendered phone number; native rendering makes a number of "+15550100"."""
    value = unsealed(value)
    if type(value) is not int:
        return str(value)
    if only_e164:
        return f"+{value}"
    from airflow_provider_retell.api.errors import RetellInputError

    raise RetellInputError(
        f"{name} rendered to a number, which does not tell whether there was a '+': with ignore_e164_validation, "
        "phone numbers cannot come from templates of a DAG that has render_template_as_native_obj"
    )


def batch_target(task: Any, index: int) -> Any:
    """Return a task of a batch, with the number that native rendering took the '+' from as text again."""
    if not isinstance(task, Mapping) or "to_number" not in task:
        return task  # is refused with all the others
    only_e164 = not task.get("ignore_e164_validation")
    number = phone_number(task["to_number"], f"tasks[{index}].to_number", only_e164=only_e164)
    return {**task, "to_number": number}
