"""Waits in a week in which the triggerer is killed every day: each one ends once, with the right result."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from soak import SECONDS
from task_forker import Forker
from tasks import connect
from waits import common

from airflow_provider_retell.emulator import Clock, Emulator

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.soak

HOUR = 3600.0
DAY = 24 * HOUR
DAYS = 7
WAITS = 500
# Ten minutes in a run of ten minutes.
POLL_INTERVAL = min(360_000 / SECONDS, DAY / 4)
STEP = POLL_INTERVAL / 6
DOWN = 2 * HOUR
# A kill can come just before the poll, and the first poll after the restart comes within an interval.
LATEST = 2.1 * POLL_INTERVAL + DOWN + 2 * STEP


@dataclass(frozen=True)
class Wait:
    """A wait, and what its call does.

    :ivar until: the state to wait for.
    :ivar deadline: epoch seconds.
    :ivar changes: the fields that the call gets, by epoch seconds. None deletes the call.
    :ivar due: epoch seconds from which the wait can end.
    :ivar expected: fields of the only event.
    """

    call_id: str
    until: str
    deadline: float
    changes: dict[float, dict[str, Any] | None]
    due: float
    expected: dict[str, Any]

    def arguments(self, now: float) -> dict[str, Any]:
        times = {"deadline": self.deadline, "poll_interval": POLL_INTERVAL, "started": now}
        return common(call_id=self.call_id, until=self.until, **times)


def make_wait(number: int, start: float, chance: random.Random) -> Wait:
    """Return a wait of one of five kinds. A call ends at any time, also while no triggerer runs."""
    call_id, end = f"call_{number}", start + chance.uniform(0, (DAYS - 1) * DAY)
    late, never = end + chance.uniform(HOUR, DAY / 2), start + 2 * DAYS * DAY
    status = chance.choice(["ended", "error", "not_connected"])
    done = {"status": "done", "call_id": call_id, "call_status": status}
    ended = {"call_status": status, "end_timestamp": int(end * 1000)}
    match number % 5:
        case 0 | 1:
            return Wait(call_id, "ended", never, {end: ended}, end, done)
        case 2:
            over, analysis = {**ended, "call_status": "ended"}, {"call_analysis": {"call_summary": "Short."}}
            expected = {**done, "call_status": "ended"}
            return Wait(call_id, "analyzed", never, {end: over, late: analysis}, late, expected)
        case 3:
            # Too late for the last poll, which can come after the downtime.
            timeout = {"status": "timeout", "call_id": call_id, "execution_timeout": False}
            return Wait(call_id, "ended", end, {end + DAY: ended}, end, timeout)
        case _:
            return Wait(call_id, "ended", never, {end: None}, end, {"status": "error", "permanent": True})


def read(stored: Path) -> list[tuple[str, float, dict[str, Any]]]:
    """Return the call id, the time and the payload of each event."""
    return [tuple(json.loads(line)) for line in stored.read_text().splitlines()]


def test_waits_survive_a_triggerer_that_is_killed_every_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="airflow_provider_retell")
    chance = random.Random(seed := random.randrange(10**6))
    print(f"seed {seed}")  # noqa: T201
    rows, stored = tmp_path / "rows", tmp_path / "events"
    stored.touch()
    with Emulator(quotas=None, clock=Clock(frozen=True), record_requests=False) as emulator:
        connect(monkeypatch, emulator, quota="100000/1")
        start = emulator.clock.now()
        waits = {f"call_{n}": make_wait(n, start, chance) for n in range(WAITS)}
        emulator.add_calls(waits, call_status="ongoing")
        changes = sorted(
            ((at, wait.call_id, fields) for wait in waits.values() for at, fields in wait.changes.items()),
            key=lambda change: change[0],
        )

        def change_calls() -> None:
            while changes and changes[0][0] <= emulator.clock.now():
                _, call_id, fields = changes.pop(0)
                if fields is None:
                    del emulator.calls[call_id]
                else:
                    emulator.calls[call_id].update(fields)

        emulator.clock.on_advance(change_calls)
        ended_by_day = []
        with Forker("tests.triggers.killed_waits") as triggerer:
            for _ in range(DAYS + 1):
                ended = {event[0] for event in read(stored)}
                ended_by_day.append(len(ended))
                left = [wait.arguments(start) for call_id, wait in waits.items() if call_id not in ended]
                rows.write_text("".join(json.dumps(row) + "\n" for row in left))
                triggerer.start(
                    url=emulator.url,
                    waits=str(rows),
                    events=str(stored),
                    now=emulator.clock.now(),
                    seconds=DAY - DOWN - STEP,
                    step=STEP,
                )
                assert os.WTERMSIG(triggerer.status()) == signal.SIGKILL
                emulator.clock.advance(DOWN)
        print(f"ended by day: {ended_by_day}, {emulator.count('get-call')} polls")  # noqa: T201

    events = read(stored)
    assert Counter(call_id for call_id, _, _ in events) == dict.fromkeys(waits, 1)
    wrong = [
        (waits[call_id], at - waits[call_id].due, payload)
        for call_id, at, payload in events
        if not waits[call_id].expected.items() <= payload.items()
        or not 0 <= at - waits[call_id].due <= LATEST
    ]
    assert wrong == []
    # Some waits ended on every day.
    assert all(day < next_ for day, next_ in pairwise(ended_by_day[:DAYS]))
