"""The state of a watcher of ended calls or chats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.clock import clock

if TYPE_CHECKING:
    from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord

# An analysis that arrives later than this after the newest record is not reported.
_ANALYSIS_SECONDS = 6 * 3600
MAX_FIRED = 5000
"""The state has at most this many records that have fired, because Airflow stores at most 64 kB."""


@dataclass
class WatchState:
    """A watermark, and the records that have fired since.

    :ivar since: epoch milliseconds. All records that ended earlier are processed.
    :ivar fired: by digest of its id, the minute since the epoch in which each record ended that has fired.
    :ivar pending: by id, the monotonic time at which each record fired whose event Airflow does not show yet.
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

    def is_new(self, record: EndedRecord) -> bool:
        """Return True if the record has not fired."""
        return record.digest not in self.fired

    def mark_fired(self, records: Iterable[EndedRecord]) -> None:
        """Note that *records* have fired."""
        for record in records:
            self.fired[record.digest] = record.ended_at // 60_000
            self.saved = False

    def mark_pending(self, records: Iterable[EndedRecord]) -> None:
        """Note that *records* have fired, and that Airflow has yet to show their event."""
        for record in records:
            self.mark_fired([record])
            self.pending[record.record_id] = clock().monotonic()

    def confirm(self, record: EndedRecord) -> None:
        """Note that Airflow has an event of *record*."""
        self.pending.pop(record.record_id, None)
        if record.ended_at >= self.since and self.is_new(record):
            self.mark_fired([record])

    def advance(self, newest: int, waiting: Sequence[int], overlap: float) -> int:
        """Move the watermark forward, but not past a record that has yet to fire.

        The watermark follows the end times of records, because Retell's clock and this machine's may differ. Return the
        number of records that it passes all the same, because too many others have fired.

        :param newest: the end time of the newest processed record, in epoch milliseconds.
        :param waiting: the end times of the records that have yet to fire.
        :param overlap: seconds that the watermark stays behind *newest*.
        """
        # One record with a wrong end time must not move the watermark into the future.
        newest = min(newest, int(clock().time() * 1000))
        limit = newest - int(overlap * 1000)
        if waiting:
            limit = min(limit, max(min(waiting), newest - _ANALYSIS_SECONDS * 1000))
        passed = 0
        if len(self.fired) > MAX_FIRED:
            oldest = sorted(self.fired.values())[-MAX_FIRED] * 60_000
            passed = sum(limit <= end < oldest for end in waiting)
            limit = max(limit, oldest)
        if limit > self.since:
            self.since, self.saved = limit, False
            self.fired = {digest: at for digest, at in self.fired.items() if at >= limit // 60_000}
        return passed
