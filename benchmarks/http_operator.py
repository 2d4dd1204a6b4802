"""``HttpOperator`` mapped over rows compared with one ``BulkUpdateCallOperator``, without a scheduler.

This process builds, renders and executes each mapped task, which is its share of a worker's time. A real run adds much
more time per mapped task, for the scheduler, the executor, a new process and the metadata database. The bulk operator
pays for these once.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from airflow.providers.http.operators.http import HttpOperator

from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from common import API_KEY, NO_QUOTA, Context, Promises, Server, quiet, ratio, table

ROUNDS = 5
ROWS = 100


def rows(tier: str) -> list[dict[str, object]]:
    """Return the rows; every tenth call has the tier already."""
    return [
        {"call_id": f"call_{number}", "tier": "silver" if number % 10 == 0 else tier}
        for number in range(ROWS)
    ]


def mapped(tier: str) -> None:
    """Run a mapped HttpOperator that sends JSON, task by task."""
    for row in rows(tier):
        task = HttpOperator(
            task_id="update",
            http_conn_id="retell_http",
            method="PATCH",
            endpoint=f"/v2/update-call/{row['call_id']}",
            data=json.dumps({"metadata": {"customer": "C-1001", "tier": row["tier"]}}),
            headers={"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
        )
        context = Context()
        task.render_template_fields(context)
        task.execute(context)


def bulk(tier: str) -> None:
    """Run one bulk operator."""
    task = BulkUpdateCallOperator(task_id="update", rows=rows(tier), quota=NO_QUOTA)
    context = Context()
    task.render_template_fields(context)
    task.execute(context)


def main() -> None:
    """Run the benchmark."""
    quiet()
    seconds: dict[str, list[float]] = {"HttpOperator, mapped": [], "BulkUpdateCallOperator": []}
    cpu: dict[str, list[float]] = {name: [] for name in seconds}
    requests: dict[str, tuple[int, int]] = {}
    with Server() as server:
        server.connect()
        address = urlsplit(server.url)
        os.environ["AIRFLOW_CONN_RETELL_HTTP"] = json.dumps(
            {"conn_type": "http", "host": address.hostname, "port": address.port, "schema": "http"}
        )

        def measure(name: str, what: Callable[[str], None], tier: str) -> None:
            before = server("count", None, None)
            started, used = time.perf_counter(), time.process_time()
            what(tier)
            seconds[name].append(time.perf_counter() - started)
            cpu[name].append(time.process_time() - used)
            first = server("count", None, None) - before
            what(tier)
            requests[name] = first, server("count", None, None) - before - first

        for number in range(ROUNDS + 1):
            for name, what in zip(seconds, (mapped, bulk), strict=True):
                server("calls", ROWS, False)
                measure(name, what, f"gold-{number}")
    http, ours = seconds
    share = {
        "seconds": ratio(seconds[http][1:], seconds[ours][1:]),
        "cpu": ratio(cpu[http][1:], cpu[ours][1:]),
    }
    print(f"http_operator: {ROWS} rows, no scheduler, medians of {ROUNDS} rounds\n")
    table(
        ("with", "ms per row", "CPU ms per row", "requests", "requests when run again"),
        (
            (
                name,
                *(statistics.median(each[name][1:]) / ROWS * 1000 for each in (seconds, cpu)),
                *requests[name],
            )
            for name in seconds
        ),
    )
    print(
        f"\n  HttpOperator takes {share['seconds']:.1f} times as long and {share['cpu']:.1f} times the CPU,"
    )
    print("  not counting the scheduler's cost per task.\n")
    promises = Promises()
    promises.keep("the bulk operator is faster and takes less CPU", min(share.values()) > 1)
    promises.keep("it sends only one list request when run again", requests[ours][1] == 1)
    promises.end()


if __name__ == "__main__":
    main()
