"""A process that reports failures from many threads at once: one JSON command per line in, one line out when done."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

DAG_A = DAG("dag_a", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))


def report(number: int, runs: int, arguments: dict[str, Any]) -> None:
    run = f"run_{number % runs}"
    ti = SimpleNamespace(dag_id="dag_a", run_id=run, task_id=f"task_{number}", map_index=-1, try_number=1)
    context = {"dag": DAG_A, "dag_run": SimpleNamespace(dag_id="dag_a", run_id=run), "ti": ti}
    notifier = PhoneCallNotifier(from_number="+14155550101", to_number="+14155550102", **arguments)
    if number % 2:
        asyncio.run(notifier.async_notify(context))
    else:
        notifier(context)


def main() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        command = json.loads(line)
        os.environ["AIRFLOW_CONN_RETELL_DEFAULT"] = command["connection"]
        with ThreadPoolExecutor(len(command["numbers"])) as pool:
            reports = [
                pool.submit(report, number, command["runs"], command["arguments"])
                for number in command["numbers"]
            ]
        for done in reports:
            done.result()
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
