"""A bulk update whose server is down for a day: the retries of its task complete the work."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Any

import pytest
import tasks
from soak import SECONDS

from airflow_provider_retell.bulk.bookkeeping import FAILURES_IN_A_ROW
from airflow_provider_retell.bulk.errors import BulkStoppedError
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.emulator.faults import Rule

pytestmark = pytest.mark.soak

HOUR = 3600.0
DAY = 24 * HOUR
RETRY_DELAY = 2 * HOUR
RETRIES = 48
CONCURRENCY = 16
# A read of 1,000 rows fails at least three times, which stops a run.
ROWS = max(4_000, int(100 * SECONDS))
OUTAGES = (
    Fault.drop(),
    Fault.status(503),
    Fault.garbage(),
    Fault.status(429, headers={"Retry-After": str(int(2 * HOUR))}),
    Fault.status(502, body="<html>Bad gateway</html>"),
    Fault.status(429),
)
"""One after the other, for some hours each."""

HOURS = 3


class Outage:
    """The outage of an emulator in the middle of its updates.

    It begins with updates that Retell makes, but whose responses are lost.

    :ivar lost: the rule for these updates.
    :ivar number: the number of the current fault, or None before the outage and -1 after it.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        self._began = 0.0
        self.number: int | None = None
        self.lost = self._add(Fault.drop_after(), "update-call", after=ROWS // 2, times=CONCURRENCY)
        self._add(Fault.drop(), "update-call", after=ROWS // 2)

    def _add(self, fault: Fault, route: str | None = None, times: int = 0, **conditions: Any) -> Rule:
        return self._emulator.faults.add(fault, route=route, times=times, **conditions)

    def pass_time(self, seconds: float) -> None:
        """Move the clock of the emulator, and begin, change or end the outage."""
        with self._lock:
            now = self._emulator.clock.advance(seconds)
            if self.number == -1 or self.lost.hits < CONCURRENCY:
                return
            if self.number is None:
                self._began = now
            number = -1 if now >= self._began + DAY else int((now - self._began) // (HOURS * HOUR))
            if number != self.number:
                self.number = number
                self._emulator.faults.clear()
                if number >= 0:
                    self._add(OUTAGES[number % len(OUTAGES)])


def test_a_run_resumes_after_an_outage_of_a_day(
    connect: Any, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="airflow_provider_retell")
    rows = [{"call_id": f"call_{n}", "n": n} for n in range(ROWS)]
    with Emulator(quotas=None, clock=Clock(frozen=True)) as emulator:
        connect(emulator)
        emulator.add_calls(row["call_id"] for row in rows)
        outage = Outage(emulator)
        tries: list[Any] = []
        with no_waiting(outage.pass_time) as clock:
            while not tries or tries[-1].error:
                assert len(tries) <= RETRIES
                ti = tasks.Ti(try_number=len(tries) + 1, max_tries=RETRIES)
                down = len(tries) == 0 or outage.number != -1
                tries.append(run(rows=rows, ti=ti, concurrency=CONCURRENCY, fails=down))
                if tries[-1].error:
                    # As RetellRetryPolicy does.
                    clock.sleep(getattr(tries[-1].error, "retry_after", None) or RETRY_DELAY)

        print(f"{ROWS} rows, {len(tries)} tries, {emulator.count()} requests")  # noqa: T201
        assert all(emulator.calls[row["call_id"]]["metadata"] == {"n": row["n"]} for row in rows)
        for task in tries[:-1]:
            assert isinstance(task.error, BulkStoppedError)
            assert not task.error.permanent
        assert len(tries) > DAY / (HOURS * HOUR)
        # Every call got its update once. Those whose response was lost have no other.
        done = Counter(r.call_id for r in emulator.requests if (r.route, r.status) == ("update-call", 200))
        assert set(done.values()) == {1}
        assert outage.lost.hits == CONCURRENCY
        assert len(done) == ROWS - CONCURRENCY
        # The outage met few rows: as many as stop a run, and those in flight.
        failed = {r.call_id for r in emulator.requests if (r.route, r.status) == ("update-call", None)}
        assert len(failed) <= FAILURES_IN_A_ROW + 2 * CONCURRENCY
        total = tries[-1].manifest["task_run"]
        assert {name: total[name] for name in ("tries", "rows", "updated", "unchanged", "failed")} == {
            "tries": sum(task.manifest["rows"] > 0 for task in tries),
            "rows": ROWS,
            "updated": ROWS - CONCURRENCY,
            "unchanged": CONCURRENCY,
            "failed": 0,
        }
        assert tries[-1].manifest["rows"] == ROWS
