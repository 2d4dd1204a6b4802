"""Phone numbers as templates render them."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.api.errors import RetellInputError


def phone_number(value: Any, name: str, *, only_e164: bool = True) -> str:
    """Return a rendered phone number; native rendering makes a number of "+15550100"."""
    if type(value) is not int:
        return str(value)
    if only_e164:
        return f"+{value}"
    raise RetellInputError(
        f"{name} rendered to a number, which does not tell whether there was a '+': with ignore_e164_validation, "
        "phone numbers cannot come from templates of a DAG that has render_template_as_native_obj"
    )
