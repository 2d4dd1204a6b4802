"""Where a watcher of ended calls stands: up to when it knows all, and for which calls it has fired since."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall

_ANALYSIS_SECONDS = 6 * 3600
_MOST_FIRED = 5000


@dataclass
class WatchState:
    """Where a watcher stands.

    :ivar since: it knows all about calls that ended before this (epoch milliseconds).
    :ivar fired: the minute (of the epoch) in which each call ended that it has fired for since then, by digest.
    :ivar pending: when it fired for each call that is not known to have an event yet, by id, on the monotonic clock.
    :ivar saved: whether the state store holds all this.
    """

    since: int
    fired: dict[str, int] = field(default_factory=dict)
    pending: dict[str, float] = field(default_factory=dict)
    saved: bool = True

    def is_new(self, call: EndedCall) -> bool:
        """Return whether it has not fired for this call."""
        return call.digest not in self.fired

    def note(self, call: EndedCall) -> None:
        """Take note that it fires for this call."""
        self.fired[call.digest] = call.ended_at // 60_000
        self.saved = False

    def fire(self, call: EndedCall) -> None:
        """Take note that it fires for this call, and that this is still to be confirmed."""
        self.note(call)
        self.pending[call.facts["call_id"]] = time.monotonic()

    def confirm(self, call: EndedCall) -> None:
        """Take note that this call has an event."""
        self.pending.pop(call.facts["call_id"], None)
        if call.ended_at >= self.since and self.is_new(call):
            self.note(call)

    def move(self, newest: int, waiting: int | None, overlap: float) -> None:
        """Move on, but not past a call that it waits for.

        It moves by the ends of calls, which are of Retell's clock: this machine's may differ.

        :param newest: when the newest call ended that it has seen to.
        :param waiting: when the oldest call ended that has yet to fire.
        """
        newest = min(newest, int(time.time() * 1000))  # whatever a single call says
        limit = newest - int(overlap * 1000)
        if waiting is not None:
            limit = min(limit, max(waiting, newest - _ANALYSIS_SECONDS * 1000))
        if len(self.fired) > _MOST_FIRED:
            limit = max(limit, sorted(self.fired.values())[-_MOST_FIRED] * 60_000)
        if limit > self.since:
            self.since, self.saved = limit, False
            self.fired = {digest: at for digest, at in self.fired.items() if at >= limit // 60_000}

    def dump(self) -> dict[str, Any]:
        """Return it as JSON, the digests of each minute as one text: Airflow wants no more than 64 kB."""
        minutes: dict[str, list[str]] = {}
        for digest, minute in self.fired.items():
            minutes.setdefault(str(minute), []).append(digest)
        return {"since": self.since, "fired": {minute: "".join(all_) for minute, all_ in minutes.items()}}

    @classmethod
    def restore(cls, stored: Mapping[str, Any]) -> WatchState:
        """Return what :meth:`dump` gave."""
        return cls(
            since=int(stored["since"]),
            fired={
                text[at : at + 8]: int(minute)
                for minute, text in stored["fired"].items()
                for at in range(0, len(text), 8)
            },
        )
