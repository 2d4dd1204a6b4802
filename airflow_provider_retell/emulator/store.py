"""The calls of one organization: a dictionary, the order of list-calls, and which calls are live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.vocabulary import LIVE_STATUSES, Call

if TYPE_CHECKING:
    from collections.abc import Iterable

OrderKey = tuple[float, str]

_ALWAYS_SORT = 5_000


def order_key(call: Call) -> OrderKey:
    """Where a call stands in list-calls.

    Calls that have not started come first in ascending order: our guess.
    """
    return (call.get("start_timestamp", 0), call["call_id"])


class CallStore:
    """``calls`` is a plain dictionary, so that tests may read and change it.

    The order is computed afresh for each question up to 5,000 calls. Above that it is kept, and renewed
    when calls come, go or start through the emulator; there, a ``start_timestamp`` changed by hand goes
    unnoticed.
    """

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self._order: list[OrderKey] | None = None
        self._live: set[str] = set()

    def add(self, call: Call) -> None:
        """Take in a new call; ValueError if its id is taken."""
        call_id = call["call_id"]
        if call_id in self.calls:
            raise ValueError(f"there is a call {call_id!r} already")
        self.calls[call_id] = call
        self.changed(call)

    def changed(self, call: Call) -> None:
        """Note that a call came, started or changed its status."""
        self._order = None
        if call["call_status"] in LIVE_STATUSES:
            self._live.add(call["call_id"])

    def remove(self, call_id: str) -> None:
        """Forget a call."""
        del self.calls[call_id]
        self._order = None

    def clear(self) -> None:
        """Forget all calls."""
        self.calls.clear()
        self._live.clear()
        self._order = None

    def live_count(self) -> int:
        """How many calls are registered or ongoing: what Retell counts as concurrency."""
        self._live = {
            call_id
            for call_id in self._live
            if call_id in self.calls and self.calls[call_id]["call_status"] in LIVE_STATUSES
        }
        return len(self._live)

    def ordered(self) -> list[OrderKey]:
        """Return the order keys of all calls, ascending."""
        if self._order is not None and len(self._order) == len(self.calls) > _ALWAYS_SORT:
            return self._order
        self._order = ordered(self.calls.values())
        return self._order


def ordered(calls: Iterable[Call]) -> list[OrderKey]:
    """Return the order keys of ``calls``, ascending."""
    return sorted(map(order_key, calls))
