"""Find the phone numbers of a test in logs and reports."""

from __future__ import annotations

import re

# Not after another digit or letter of a hexadecimal number: a random id may contain the same digits, and the reports of
# some tests have thousands of ids.
_NUMBER = re.compile(r"(?<![0-9a-f])1?415555\d{4}")


def has_phone_number(text: str) -> bool:
    """Return True if *text* contains a phone number that begins with +1 415 555, with or without the country code."""
    return _NUMBER.search(text) is not None
