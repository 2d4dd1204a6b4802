"""Storage of the calls of one organization, their order in list-calls, and the number of live ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.calls.vocabulary import LIVE_STATUSES, Call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_retell.emulator.paging import OrderKey

_ALWAYS_SORT = 5_000


class CallStore:
    """The calls by id, and their order.

    Up to 5,000 calls are sorted for each request. Above that the order is kept until a call is added, removed,
    started or edited through the emulator, so a ``start_timestamp`` that a test changes in the dictionary
    itself has no effect on the order.

    :ivar calls: a plain dictionary, so that tests may read and change it.
    """

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self._order: list[OrderKey] | None = None
        self._live: set[str] = set()

    def add(self, call: Call) -> None:
        """Add a call; ValueError if its id exists."""
        call_id = call["call_id"]
        if call_id in self.calls:
            raise ValueError(f"call {call_id!r} exists already")
        self.calls[call_id] = call
        self.changed(call)

    def changed(self, call: Call) -> None:
        """Update the order and the live calls after a call was added, started or given a new status."""
        self._order = None
        if call["call_status"] in LIVE_STATUSES:
            self._live.add(call["call_id"])

    def remove(self, call_id: str) -> None:
        """Remove a call."""
        del self.calls[call_id]
        self._order = None

    def clear(self) -> None:
        """Remove all calls."""
        self.calls.clear()
        self._live.clear()
        self._order = None

    def live_count(self) -> int:
        """Return the number of registered and ongoing calls, which Retell counts as concurrency."""
        self._live = {
            call_id
            for call_id in self._live
            if call_id in self.calls and self.calls[call_id]["call_status"] in LIVE_STATUSES
        }
        return len(self._live)

    def ordered(self) -> list[OrderKey]:
        """Return the sort keys of all calls, ascending."""
        if self._order is not None and len(self._order) == len(self.calls) > _ALWAYS_SORT:
            return self._order
        self._order = ordered(self.calls.values())
        return self._order


def ordered(calls: Iterable[Call]) -> list[OrderKey]:
    """Return the sort keys of *calls* in list-calls, ascending. Calls that have not started come first: our guess."""
    return sorted((call.get("start_timestamp", 0), call["call_id"]) for call in calls)
