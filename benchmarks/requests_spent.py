"""Requests for 100,000 rows with few differences, and for the same rows again, with calls, chats and contacts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from airflow_provider_retell.bulk import FileRows
from common import NO_QUOTA, Context, Promises, Server, quiet, table
from kinds import CALLS, CHATS, CONTACTS, Kind

ROWS = 100_000
DIFFERENT = {CALLS.name: 1_000, CHATS.name: 1_000, CONTACTS.name: 500}


def main() -> None:
    """Run the benchmark."""
    quiet()
    promises = Promises()
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        server.connect(list_quota=NO_QUOTA)
        for kind in (CALLS, CHATS, CONTACTS):
            compare(kind, server, Path(directory) / "rows.jsonl", promises)
    promises.end()


def compare(kind: Kind, server: Server, path: Path, promises: Promises) -> None:
    """Run the operator of *kind* twice."""
    kind.fill(server, ROWS)
    different = DIFFERENT[kind.name]
    kind.write_rows(
        path, ("gold" if number % (ROWS // different) == 0 else "silver" for number in range(ROWS))
    )
    task = kind.task(FileRows(str(path)), quota=NO_QUOTA)
    runs = [spend(server, task, kind) for _ in range(2)]
    right = server("with", kind.values, {"tier": "gold"})
    show(runs, different, kind)
    lists = ROWS // 1000
    promises.keep(
        f"one update per differing {kind.name} and one list request per 1,000 {kind}",
        runs[0][2:] == (different, lists, 0),
    )
    promises.keep(f"no update of {kind} in the second run", runs[1][2:] == (0, lists, 0))
    promises.keep(f"every {kind.name} has the right values", right == different)
    print()


def spend(server: Server, task: Any, kind: Kind) -> tuple[int, ...]:
    """Run *task*; return its updated and unchanged rows, and its requests: updates, lists and others."""
    routes = (kind.writing, kind.listing, None)
    before = [server("count", route, None) for route in routes]
    context = Context()
    task.execute(context)
    after = [server("count", route, None) for route in routes]
    writes, reads, all_ = (new - old for new, old in zip(after, before, strict=True))
    return (
        context.manifest["updated"],
        context.manifest["unchanged"],
        writes,
        reads,
        all_ - writes - reads,
    )


def show(runs: list[tuple[int, ...]], different: int, kind: Kind) -> None:
    """Print the requests."""
    print(f"requests_spent: {ROWS:,} rows, {different:,} of them different\n")
    names = ("first run", "second run", "one request per row")
    rows = [*runs, ("", "", ROWS, 0, 0)]
    table(
        ("", "updated", "unchanged", kind.writing, kind.listing, "others"),
        ((name, *run) for name, run in zip(names, rows, strict=True)),
    )
    print()


if __name__ == "__main__":
    main()
