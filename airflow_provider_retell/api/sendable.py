"""Send values from Retell back to Retell."""

from __future__ import annotations

import math
from typing import Any

from airflow_provider_retell.api.parsing import RepairedText


class UnsendableError(Exception):
    """A value from Retell cannot be sent back unchanged. The message says why."""


def sendable(value: Any) -> Any:
    """Return values from Retell in a form that Retell stores unchanged. Retell stores huge integers as doubles.

    :raises UnsendableError: if there is no such form.
    """
    if isinstance(value, dict):
        # pydantic turns a repaired key into plain text, so look for the replacement character.
        if any("\ufffd" in key for key in value):
            raise UnsendableError("a key with half of a surrogate pair, which UTF-8 cannot encode")
        return {key: sendable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sendable(item) for item in value]
    if isinstance(value, RepairedText):
        raise UnsendableError("text with half of a surrogate pair, which UTF-8 cannot encode")
    if isinstance(value, int) and abs(value) >= 2**53:
        try:
            return float(value)
        except OverflowError:
            raise UnsendableError("a number that is too large for a double") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UnsendableError("a number that is NaN or infinite")
    return value
