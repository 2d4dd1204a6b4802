"""Peak memory of a bulk run over ten thousand, and over a million, unchanged rows, and of syncs of contacts.

A sync compares all contacts before it sends anything, so its memory grows with the contacts and with the changes. It is
measured for 100,000 more of them. Each run has its own process. The server answers for every id without storing
records. It has no quota, and the connection's ``list_quota`` lets the hook list as fast as it can.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common import NO_QUOTA, Context, Promises, Server, quiet, table
from kinds import CALLS, CHATS, CONTACTS, Kind


@dataclass(frozen=True)
class Run:
    """A small and a large run.

    :ivar key: the format of the values that name the records.
    :ivar tier: the value that the rows ask for. All records have "silver".
    :ivar max_mb: how much more memory the large run may take.
    """

    kind: Kind
    key: str
    max_mb: int
    sizes: tuple[int, int] = (10_000, 1_000_000)
    tier: str = "silver"


SOME = (10_000, 110_000)
RUNS = {
    "calls from a file": Run(CALLS, "call_{:032x}", 100),
    "calls from a cursor": Run(CALLS, "call_{:032x}", 100),
    "chats from a file": Run(CHATS, "chat_{:032x}", 100),
    "unchanged contacts": Run(CONTACTS, "+1415{:07}", 40, SOME),
    "changed contacts": Run(CONTACTS, "+1415{:07}", 180, SOME, "gold"),
}


def write(path: Path, run: Run, rows: int) -> None:
    """Write *rows* rows to a file, or to a database."""
    keys = map(run.key.format, range(rows))
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            for key in keys:
                file.write(f'{{"{run.kind.key}": "{key}", "customer": "C-1001", "tier": "{run.tier}"}}\n')
        return
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE facts (call_id TEXT, customer TEXT, tier TEXT)")
        database.executemany("INSERT INTO facts VALUES (?, 'C-1001', 'silver')", ((key,) for key in keys))
    database.close()


def measure(name: str, path: str) -> None:
    """Run the operator in this process; print its counts and the peak memory."""
    from airflow_provider_retell.bulk import FileRows, SqlRows

    quiet()
    run = RUNS[name]
    os.environ["AIRFLOW_CONN_FACTS"] = json.dumps({"conn_type": "sqlite", "host": path})
    query = "SELECT call_id, customer, tier FROM facts"
    rows = FileRows(path) if path.endswith(".jsonl") else SqlRows("facts", query)
    report = f"{path}.report.jsonl"
    changes = run.tier != "silver"
    context = Context()
    # A dry run holds the changes of contacts too, and sends none.
    run.kind.task(rows, report_path=report, dry_run=changes).execute(context)
    manifest = context.manifest
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1e6 if sys.platform == "darwin" else 1e3)
    with Path(report).open() as file:
        lines = sum(1 for _ in file)
    done = manifest["would_update" if changes else "unchanged"]
    print(json.dumps([manifest["rows"], done, manifest["requests"], lines, megabytes]))


def runs(server: Server) -> Iterator[tuple[str, int, list[float]]]:
    """Yield the name, the rows and the measurement of each run."""
    for name, run in RUNS.items():
        for rows in run.sizes:
            # A folder for each run, because a report that exists would be continued.
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / ("rows.db" if "cursor" in name else "rows.jsonl")
                write(path, run, rows)
                server("contacts", rows)
                command = [sys.executable, __file__, name, str(path)]
                done = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ, timeout=600
                )
            yield name, rows, json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run the benchmark."""
    with Server("any record") as server:
        server.connect(list_quota=NO_QUOTA)
        results = list(runs(server))
    print("memory: peak of a bulk run\n")
    table(
        ("rows", "number", "requests", "peak MB"),
        ((name, rows, requests, peak) for name, rows, (_, _, requests, _, peak) in results),
    )
    print()
    promises = Promises()
    promises.keep(
        "every row has an outcome and a line in the report",
        all(rows == read == done == lines for _, rows, (read, done, _, lines, _) in results),
    )
    promises.keep(
        "one list request per 1,000 rows and no other request",
        all(requests == rows // 1000 for _, rows, (_, _, requests, _, _) in results),
    )
    for (name, small, few), (_, large, many) in zip(results[::2], results[1::2], strict=True):
        more, limit = many[-1] - few[-1], RUNS[name].max_mb
        promises.keep(
            f"{large - small:,} more {name} take {more:.0f} MB more, at most {limit}", more <= limit
        )
    promises.end()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(*sys.argv[1:])
    else:
        main()
