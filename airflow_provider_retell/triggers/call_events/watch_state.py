"""The state of a watcher of ended calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.clock import clock

if TYPE_CHECKING:
    from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall

# An analysis that arrives later than this after the newest call is not reported.
_ANALYSIS_SECONDS = 6 * 3600
_MAX_FIRED = 5000


@dataclass
class WatchState:
    """A watermark, and the calls that have fired since.

    :ivar since: epoch milliseconds. All calls that ended earlier are processed.
    :ivar fired: by digest of its id, the minute since the epoch in which each call ended that has fired.
    :ivar pending: by id, the monotonic time at which each call fired whose event Airflow does not show yet.
    :ivar saved: True if the stored state is equal to this one.
    """

    since: int
    fired: dict[str, int] = field(default_factory=dict)
    pending: dict[str, float] = field(default_factory=dict)
    saved: bool = False

    @classmethod
    def restore(cls, stored: Mapping[str, Any]) -> WatchState:
        """Return the state that :meth:`dump` returned."""
        fired = {
            digests[at : at + 8]: int(minute)
            for minute, digests in stored["fired"].items()
            for at in range(0, len(digests), 8)
        }
        return cls(since=int(stored["since"]), fired=fired, saved=True)

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON. The digests of one minute form one text, because Airflow stores at most 64 kB."""
        minutes: dict[str, list[str]] = {}
        for digest, minute in self.fired.items():
            minutes.setdefault(str(minute), []).append(digest)
        fired = {minute: "".join(digests) for minute, digests in minutes.items()}
        return {"since": self.since, "fired": fired}

    def is_new(self, call: EndedCall) -> bool:
        """Return True if the call has not fired."""
        return call.digest not in self.fired

    def mark_fired(self, calls: Iterable[EndedCall]) -> None:
        """Record that the calls have fired."""
        for call in calls:
            self.fired[call.digest] = call.ended_at // 60_000
            self.saved = False

    def mark_pending(self, calls: Iterable[EndedCall]) -> None:
        """Record that the calls have fired, and that Airflow has yet to show their event."""
        for call in calls:
            self.mark_fired([call])
            self.pending[call.call_id] = clock().monotonic()

    def confirm(self, call: EndedCall) -> None:
        """Record that Airflow has an event of the call."""
        self.pending.pop(call.call_id, None)
        if call.ended_at >= self.since and self.is_new(call):
            self.mark_fired([call])

    def advance(self, newest: int, waiting: int | None, overlap: float) -> None:
        """Move the watermark forward, but not past a call that has yet to fire.

        The watermark follows the end times of calls, because Retell's clock and this machine's may differ.

        :param newest: the end time of the newest processed call, in epoch milliseconds.
        :param waiting: the end time of the oldest call without an analysis, or None.
        :param overlap: seconds that the watermark stays behind *newest*.
        """
        # One call with a wrong end time must not move the watermark into the future.
        newest = min(newest, int(clock().time() * 1000))
        limit = newest - int(overlap * 1000)
        if waiting is not None:
            limit = min(limit, max(waiting, newest - _ANALYSIS_SECONDS * 1000))
        if len(self.fired) > _MAX_FIRED:
            limit = max(limit, sorted(self.fired.values())[-_MAX_FIRED] * 60_000)
        if limit > self.since:
            self.since, self.saved = limit, False
            self.fired = {digest: at for digest, at in self.fired.items() if at >= limit // 60_000}
