"""Peak memory of a bulk run over ten thousand, and over a million, unchanged rows.

Each run has its own process. The server answers for every call id without storing calls. It has no quota, and the
connection's ``list_quota`` lets the hook list as fast as it can.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from common import NO_QUOTA, Context, Promises, Server, quiet, table

SIZES = (10_000, 1_000_000)
MAX_MB = 100


def write(directory: Path, rows: int) -> None:
    """Write *rows* rows to a file and to a database."""
    with (directory / f"{rows}.jsonl").open("w") as file:
        for number in range(rows):
            file.write(f'{{"call_id": "call_{number:032x}", "customer": "C-1001", "tier": "silver"}}\n')
    with sqlite3.connect(directory / f"{rows}.db") as database:
        database.execute("CREATE TABLE facts (call_id TEXT, customer TEXT, tier TEXT)")
        ids = ((f"call_{number:032x}",) for number in range(rows))
        database.executemany("INSERT INTO facts VALUES (?, 'C-1001', 'silver')", ids)
    database.close()


def run(kind: str, path: str) -> None:
    """Run the operator in this process; print its counts and the peak memory."""
    from airflow_provider_retell.bulk import FileRows, SqlRows
    from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator

    quiet()
    os.environ["AIRFLOW_CONN_FACTS"] = json.dumps({"conn_type": "sqlite", "host": path})
    rows = FileRows(path) if kind == "file" else SqlRows("facts", "SELECT call_id, customer, tier FROM facts")
    report = f"{path}.report.jsonl"
    context = Context()
    BulkUpdateCallOperator(task_id="bulk", rows=rows, report_path=report).execute(context)
    manifest = context.manifest
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1e6 if sys.platform == "darwin" else 1e3)
    with Path(report).open() as file:
        lines = sum(1 for _ in file)
    print(json.dumps([manifest["rows"], manifest["unchanged"], manifest["requests"], lines, megabytes]))


def main() -> None:
    """Run the benchmark."""
    results = []
    with Server("any call") as server, tempfile.TemporaryDirectory() as directory:
        server.connect(list_quota=NO_QUOTA)
        for rows in SIZES:
            write(Path(directory), rows)
        for kind, ending in (("file", "jsonl"), ("cursor", "db")):
            for rows in SIZES:
                command = [sys.executable, __file__, kind, str(Path(directory) / f"{rows}.{ending}")]
                done = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ, timeout=600
                )
                results.append((kind, rows, *json.loads(done.stdout.splitlines()[-1])))
    print("memory: peak of a bulk run over unchanged rows\n")
    more = {kind: results[place + 1][-1] - results[place][-1] for place, kind in ((0, "file"), (2, "cursor"))}
    table(
        ("rows from", "rows", "requests", "peak MB"),
        ((kind, rows, requests, peak) for kind, rows, _, _, requests, _, peak in results),
    )
    print()
    promises = Promises()
    promises.keep(
        "every row has an outcome and a line in the report",
        all(rows == done == unchanged == lines for _, rows, done, unchanged, _, lines, _ in results),
    )
    promises.keep(
        "one list request per 1,000 rows and no other request",
        all(each[4] == each[1] // 1000 for each in results),
    )
    for kind, megabytes in more.items():
        promises.keep(
            f"a million rows from a {kind} take {megabytes:.0f} MB more, at most {MAX_MB}",
            megabytes <= MAX_MB,
        )
    promises.end()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(*sys.argv[1:])
    else:
        main()
