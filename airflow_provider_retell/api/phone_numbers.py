"""Phone numbers in E.164 format."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def check_e164(number: object, name: str) -> None:
    """Raise :class:`RetellInputError`, without the number, unless *number* is in E.164 format."""
    if not isinstance(number, str) or not _E164.fullmatch(number):
        raise RetellInputError(
            f"{name} must be a phone number in E.164 format: '+', the country code, 7 to 15 digits in all, and nothing "
            "else. Set ignore_e164_validation=True if your telephony provider accepts other numbers"
        )


def phone_number(value: Any, name: str, *, only_e164: bool = True) -> str:
    """Return a rendered phone number as text. Native rendering turns "+15550100" into the number 15550100.

    :raises RetellInputError: if *value* is a number and need not be in E.164 format, so that its form is unknown.
    """
    if type(value) is not int:
        return str(value)
    if only_e164:
        return f"+{value}"
    raise RetellInputError(
        f"{name} was rendered to a number, which has lost a leading '+' if there was one: with "
        "ignore_e164_validation=True, phone numbers must not come from templates of a DAG that has "
        "render_template_as_native_obj=True"
    )
