"""Defer all tasks of many_waits as workers do it: rows in the database.

Run in the Airflow of the test: ``defer_all.py POLL_INTERVAL``.
"""

from __future__ import annotations

import sys
import time

from airflow.models import TaskInstance
from airflow.models.trigger import Trigger
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_retell.triggers.call import CallTrigger

with create_session() as session:
    for task in session.scalars(select(TaskInstance).where(TaskInstance.dag_id == "many_waits")):
        trigger = Trigger.from_object(
            CallTrigger(
                call_id=f"call_{task.map_index}",
                until="ended",
                retell_conn_id="retell_default",
                poll_interval=float(sys.argv[1]),
                deadline=time.time() + 600,
            )
        )
        session.add(trigger)
        session.flush()
        task.trigger_id = trigger.id
        task.state = "deferred"
        task.next_method = "execute_complete"
        task.next_kwargs = {}
