"""The cost of calls, of one and in total."""

from __future__ import annotations

import math
from typing import Any


def cost_of(call_cost: Any) -> dict[str, float]:
    """Return ``cents`` (US cents) and ``seconds`` (billed time) of a call's ``call_cost``.

    A value that the call does not have, or that is not a number, is missing.
    """
    cost: dict[str, float] = {}
    for name, field in (("cents", "combined_cost"), ("seconds", "total_duration_seconds")):
        value: Any = call_cost.get(field) if isinstance(call_cost, dict) else getattr(call_cost, field, None)
        if _is_number(value):
            cost[name] = value
    return cost


class CostTotal:
    """The sum of the costs of many calls."""

    def __init__(self) -> None:
        self._cents = 0.0
        self._missing = 0

    def add(self, call_cost: Any) -> None:
        """Add the ``call_cost`` of a call, or count the call as one without a cost."""
        cents = cost_of(call_cost).get("cents")
        if cents is None:
            self._missing += 1
        else:
            self._cents += cents

    def fields(self) -> dict[str, float]:
        """Return ``cost_cents`` (US cents), and ``calls_without_cost``, the number of calls not in that sum."""
        return {"cost_cents": round(self._cents, 4), "calls_without_cost": self._missing}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
