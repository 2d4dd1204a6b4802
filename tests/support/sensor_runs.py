"""Sensors as Airflow runs them, in each of its ways to wait."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.exceptions import AirflowRescheduleException
from tasks import TaskDeferred, Ti
from waits import payloads, stored

MODES = ["poke", "reschedule", "deferrable"]


class SensorRun:
    """One run of a sensor, and its cost.

    :ivar deferred: the number of deferrals.
    :ivar rescheduled: the number of times that the sensor was rescheduled.
    :ivar event: the last event of the trigger.
    :ivar timeout: Airflow's time-out of the last deferral.
    :ivar by_event: True to pass only the event to the method, as ``airflow dags test`` does.
    """

    def __init__(self) -> None:
        self.deferred = self.rescheduled = 0
        self.by_event = False
        self.timeout: timedelta | None = None
        self.event: dict[str, Any] | None = None
        self.ti = Ti()
        self.ti.get_first_reschedule_date = lambda _context: self.ti.started if self.rescheduled else None

    def waited_in(self, mode: str) -> bool:
        """Return True if the sensor has waited as *mode* says."""
        return (self.deferred == 1, self.rescheduled > 0) == (mode == "deferrable", mode == "reschedule")

    def run(self, kind: Any, mode: str, **arguments: Any) -> Any:
        """Run a sensor to its end, with a new instance in each worker, and return its result."""
        arguments = {"poke_interval": 0.02, "timeout": 20, **arguments}
        where = {"deferrable": True} if mode == "deferrable" else {"deferrable": False, "mode": mode}
        context: Any = {"ti": self.ti}
        method, given = "execute", {}
        while True:
            sensor = kind(task_id="wait", **where, **arguments)
            try:
                if not given:
                    return sensor.execute(context)
                return sensor.resume_execution(method, given, context)
            except TaskDeferred as deferral:
                self.deferred += 1
                [event] = asyncio.run(payloads(stored(deferral.trigger)))
                self.event = event
                kept = {} if self.by_event else deferral.kwargs or {}
                method, given = deferral.method_name, {**kept, "event": event}
                self.timeout = deferral.timeout
                json.dumps(given)
            except AirflowRescheduleException as later:
                self.rescheduled += 1
                pause = (later.reschedule_date - datetime.now(timezone.utc)).total_seconds()
                time.sleep(max(pause, 0))
