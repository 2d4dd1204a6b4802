"""A moment as code and templates give it, as Retell takes it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def epoch_milliseconds(value: Any, name: str) -> int:
    """Return a rendered moment in epoch milliseconds.

    :param value: epoch milliseconds, a datetime with a zone, or the text of either (ISO 8601).
    :raises ValueError: if it is none; the message never has the value.
    """
    from airflow_provider_retell.api.errors import RetellInputError

    if isinstance(value, str):
        value = value.strip()
    if value is None or value in ("", "None", "null"):
        raise RetellInputError(
            f"{name} rendered to nothing: what it was made from had no value (an XCom that was never pushed, say)"
        )
    try:
        if isinstance(value, str):
            # Python 3.10 does not read the Z.
            value = (
                float(value)
                if _NUMBER.fullmatch(value)
                else datetime.fromisoformat(re.sub("[Zz]$", "+00:00", value))
            )
        if isinstance(value, datetime):
            if value.utcoffset() is None:
                raise RetellInputError(
                    f"{name} is a date and time without a zone: attach the zone that it is meant in"
                )
            return round(value.timestamp() * 1000)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return round(value)
    except RetellInputError:
        raise
    except (ValueError, OverflowError):
        pass
    raise RetellInputError(f"{name} must be epoch milliseconds or a date and time with a zone") from None
