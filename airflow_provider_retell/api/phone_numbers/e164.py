"""Phone numbers in E.164 format."""

from __future__ import annotations

import re

from airflow_provider_retell.api.errors import RetellInputError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# The first pattern that is found in the text gives the reason.
_FAULTS = (
    (r"^\s*$", "is empty"),
    (r"^\s*(tel|sips?):", "begins with a scheme such as 'tel:'"),
    (r"^\s*\+?0x", "is a hexadecimal number"),
    (r"[;,#*x]|ext", "has an extension"),
    (r"[^\x00-\x7f]", "has characters that are not ASCII, for example full-width digits"),
    (r"_", "has underscores"),
    (r"[^0-9+]", "has characters other than '+' and digits, for example spaces or punctuation"),
    (r"^00", "begins with '00' instead of '+'"),
    (r"^[0-9]", "has no '+', so the country code is unknown"),
    (r"^\+0", "has no country code after the '+'"),
)

IGNORE = "Set ignore_e164_validation=True if your telephony provider accepts other numbers"
"""Advice for functions and operators with this parameter."""

IGNORE_IN_TASK = (
    "Set ignore_e164_validation to True in this task if your telephony provider accepts other numbers"
)
"""Advice for the tasks of a batch."""


def check_e164(number: object, name: str, advice: str = "") -> None:
    """Raise :class:`RetellInputError`, without the number, unless *number* is in E.164 format.

    :param advice: a sentence for the end of the message.
    """
    if isinstance(number, str) and _E164.fullmatch(number):
        return
    raise RetellInputError(
        f"{name} must be a phone number in E.164 format: '+', the country code, 7 to 15 digits in all, and nothing "
        f"else. The value {_fault(number)}{advice and '. ' + advice}"
    )


def _fault(number: object) -> str:
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        return "is a number, which has no '+', so the country code is unknown. Use text"
    if not isinstance(number, str):
        return f"is {'empty' if number is None else 'not text'}"
    for pattern, fault in _FAULTS:
        if re.search(pattern, number, re.IGNORECASE):
            return fault
    return "has too few or too many digits, or more than one '+'"
