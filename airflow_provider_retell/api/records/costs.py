"""The cost of calls and chats, of one and in total."""

from __future__ import annotations

import sys
from typing import Any


def cost_of(record_cost: Any) -> dict[str, float]:
    """Return ``cents`` (US cents) and ``seconds`` (billed time) of a ``call_cost`` or ``chat_cost``.

    The result lacks a value that Retell does not return, or that is not a number.
    """
    cost: dict[str, float] = {}
    for name, field in (("cents", "combined_cost"), ("seconds", "total_duration_seconds")):
        value: Any = (
            record_cost.get(field) if isinstance(record_cost, dict) else getattr(record_cost, field, None)
        )
        if is_number(value):
            cost[name] = value
    return cost


class CostTotal:
    """The sum of the costs of many records."""

    def __init__(self, kind: str = "call") -> None:
        self._kind = kind
        self._cents = 0.0
        self._missing = 0

    def add(self, cost: Any) -> None:
        """Add the cost of a record, or count the record as one without a cost."""
        cents = cost_of(cost).get("cents")
        if cents is None:
            self._missing += 1
        else:
            self._cents += cents

    def fields(self) -> dict[str, float]:
        """Return ``cost_cents`` (US cents), and ``{kind}s_without_cost``, the number of records not in that sum."""
        return {"cost_cents": round(self._cents, 4), f"{self._kind}s_without_cost": self._missing}


def is_number(value: Any) -> bool:
    """Return True if *value* is a finite number that a double can hold. A malformed record may have any value."""
    largest = sys.float_info.max
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -largest <= value <= largest
