"""Phone numbers in E.164 format."""

from __future__ import annotations

import re

from airflow_provider_retell.api.errors import RetellInputError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def check_e164(number: object, name: str) -> None:
    """Raise :class:`RetellInputError`, without the number, unless *number* is in E.164 format."""
    if not isinstance(number, str) or not _E164.fullmatch(number):
        raise RetellInputError(
            f"{name} must be a phone number in E.164 format: '+', the country code, 7 to 15 digits in all, and nothing "
            "else. Set ignore_e164_validation=True if your telephony provider accepts other numbers"
        )
