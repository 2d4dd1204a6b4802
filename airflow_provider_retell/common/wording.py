"""Numbers in log lines and messages."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: ``no rows``, ``1 row``, ``1,200 rows``."""
    return f"{f'{number:,}' if number else 'no'} {noun}{'' if number == 1 else 's'}"


def listed(items: Sequence[object], most: int) -> str:
    """Return the first of *items*, and the number of the others: ``a, b and 3 more``."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more


def duration(seconds: float) -> str:
    """Return a duration, for example ``2 h 5 min``."""
    if round(seconds) < 60:
        return f"{max(seconds, 0):.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
