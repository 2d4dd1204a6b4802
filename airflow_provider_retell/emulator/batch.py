"""POST /create-batch-call: calls placed at their time, as fast as concurrency and daily windows allow."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer
from airflow_provider_retell.emulator.placing import check_number, place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.organization import Organization

DEFAULT_ZONE = "America/Los_Angeles"


@dataclass(eq=False)
class Batch:
    """A batch that still has calls to place.

    ``trigger``: epoch seconds. ``window``: its ``call_time_window``.
    """

    batch_call_id: str
    from_number: str
    tasks: deque[dict[str, Any]]
    trigger: float
    reserved: int = 0
    window: Mapping[str, Any] | None = None
    asleep: bool = field(default=False)


class Batches:
    """The started batches of one organization. Calls per second are not limited: only concurrency is."""

    def __init__(self, organization: Organization) -> None:
        self._org = organization
        self.waiting: list[Batch] = []
        organization.progress.on_end.append(self.dispatch)

    def start(self, batch: Batch, when: float) -> None:
        """Let a batch begin, now that its time has come."""
        self.waiting.append(batch)
        self.dispatch(when)

    def dispatch(self, when: float) -> None:
        """Place as many calls as there are free slots, older batches first."""
        for batch in tuple(self.waiting):
            if batch.asleep:
                continue
            opens = next_opening(batch.window, when)
            if opens > when:
                batch.asleep = True
                self._org.timeline.at(opens, lambda at, batch=batch: self._wake(batch, at))  # type: ignore[misc]
                continue
            free = self._org.concurrency - batch.reserved - self._org.store.live_count()
            while batch.tasks and free > 0:
                place(self._org, batch.from_number, batch.tasks.popleft(), when, batch.batch_call_id)
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
    """Return the first moment from ``when`` on at which ``window`` allows calls, in epoch seconds.

    Windows are half-open minutes of the local day and never cross midnight, as documented.
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
    raise AssertionError("a window that passed the checks opens within a week")


def create_batch_call(org: Organization, _: str, body: dict[str, Any]) -> Answer:
    """Accept a batch. Its calls are placed from ``trigger_timestamp`` on (epoch ms), or now.

    That ``scheduled_timestamp`` is in milliseconds is our guess: Retell's sample looks like seconds, its
    text like milliseconds.
    """
    check_number(body["from_number"], "body/from_number")
    for position, task in enumerate(body["tasks"]):
        if not task.get("ignore_e164_validation"):
            check_number(task["to_number"], f"body/tasks/{position}/to_number")
    reserved = int(body.get("reserved_concurrency", 0))
    if reserved >= org.concurrency:
        raise ApiError(400, f"body/reserved_concurrency must be < {org.concurrency}")
    window = body.get("call_time_window")
    if window is not None:
        _check_window(window)
    now = org.options.clock.now()
    trigger = max(now, body.get("trigger_timestamp", 0) / 1000)
    batch_id = f"batch_call_{uuid.uuid4().hex[:20]}"
    batch = Batch(batch_id, body["from_number"], deque(body["tasks"]), trigger, reserved, window)
    org.add_batch(batch)
    answer = {
        "batch_call_id": batch_id,
        "name": body.get("name", f"Batch {batch_id[-6:]}"),
        "from_number": body["from_number"],
        "scheduled_timestamp": round(trigger * 1000),
        "total_task_count": len(batch.tasks),
    }
    if window is not None:
        answer["call_time_window"] = window
    org.catch_up()
    return json_answer(201, answer)


def _check_window(window: dict[str, Any]) -> None:
    if any(span["end"] <= span["start"] for span in window["windows"]):
        raise ApiError(400, "body/call_time_window/windows must end after they start, on the same day")
    try:
        ZoneInfo(window.get("timezone", "UTC"))
    except (ValueError, OSError, KeyError):
        raise ApiError(400, "body/call_time_window/timezone is not a known time zone") from None
