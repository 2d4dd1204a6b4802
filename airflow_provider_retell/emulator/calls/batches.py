"""Batches of calls, placed from their start time on, as fast as concurrency and daily windows allow."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_retell.emulator.calls.store import CallStore
    from airflow_provider_retell.emulator.timeline import Timeline

DEFAULT_ZONE = "America/Los_Angeles"


@dataclass(eq=False)
class Batch:
    """A batch that has calls left to place.

    :ivar tasks: the remaining tasks.
    :ivar trigger: the start time, in epoch seconds.
    :ivar reserved: the number of slots to leave free for other calls.
    :ivar window: the ``call_time_window`` of the request.
    :ivar asleep: True until its next window opens.
    """

    batch_call_id: str
    from_number: str
    tasks: deque[dict[str, Any]]
    trigger: float
    reserved: int = 0
    window: Mapping[str, Any] | None = None
    asleep: bool = False


class Batches:
    """The batches of one organization. Concurrency limits them, calls per second do not.

    :param store: the calls of the organization.
    :param timeline: its schedule.
    :param place: places a call: ``place(from_number, task, when, batch_call_id)``.
    :param concurrency: returns the limit of live calls.
    :ivar waiting: the batches that have started and have calls left to place, oldest first.
    """

    def __init__(
        self,
        store: CallStore,
        timeline: Timeline,
        *,
        place: Callable[[str, dict[str, Any], float, str], object],
        concurrency: Callable[[], int],
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._place = place
        self._concurrency = concurrency
        self.waiting: list[Batch] = []

    def schedule(self, batch: Batch) -> None:
        """Start *batch* at its start time."""
        self._timeline.at(batch.trigger, partial(self._start, batch))

    def _start(self, batch: Batch, when: float) -> None:
        self.waiting.append(batch)
        self.dispatch(when)

    def dispatch(self, when: float) -> None:
        """Place a call in every free slot, oldest batches first.

        :param when: the time to place them at, in epoch seconds.
        """
        for batch in tuple(self.waiting):
            if batch.asleep:
                continue
            opens = next_opening(batch.window, when)
            if opens > when:
                batch.asleep = True
                self._timeline.at(opens, partial(self._wake, batch))
                continue
            free = self._concurrency() - batch.reserved - self._store.live_count()
            while batch.tasks and free > 0:
                self._place(batch.from_number, batch.tasks.popleft(), when, batch.batch_call_id)
                free -= 1
            if not batch.tasks:
                self.waiting.remove(batch)

    def _wake(self, batch: Batch, when: float) -> None:
        batch.asleep = False
        self.dispatch(when)

    def clear(self) -> None:
        """Forget all batches."""
        self.waiting.clear()


def next_opening(window: Mapping[str, Any] | None, when: float) -> float:
    """Return the first time at or after *when* that *window* allows, in epoch seconds.

    Windows are half-open ranges of minutes of the local day and never cross midnight, as documented.
    """
    if window is None:
        return when
    zone = ZoneInfo(window.get("timezone", DEFAULT_ZONE))
    now = datetime.fromtimestamp(when, zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = window.get("day")
    for ahead in range(8):
        day = midnight + timedelta(days=ahead)
        if days is not None and day.strftime("%A") not in days:
            continue
        for span in sorted(window["windows"], key=lambda span: float(span["start"])):
            opens = (day + timedelta(minutes=span["start"])).timestamp()
            closes = (day + timedelta(minutes=span["end"])).timestamp()
            if when < closes:
                return max(when, opens)
    raise AssertionError("a validated window opens within a week")
