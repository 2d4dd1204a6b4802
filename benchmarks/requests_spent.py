"""Requests for 100,000 rows with few differences, and for the same rows again, with calls, chats and contacts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.operators import (
    BulkUpdateCallOperator,
    BulkUpdateChatOperator,
    SyncContactsOperator,
)
from common import NO_QUOTA, Context, Promises, Server, quiet, table

ROWS = 100_000
DIFFERENT = 1_000
DIFFERENT_CONTACTS = 500


def main() -> None:
    """Run the benchmark."""
    quiet()
    promises = Promises()
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        server.connect(list_quota=NO_QUOTA)
        path = Path(directory) / "rows.jsonl"
        records("call", server, path, promises)
        records("chat", server, path, promises)
        contacts(server, path, promises)
    promises.end()


def records(kind: str, server: Server, path: Path, promises: Promises) -> None:
    """Update metadata of calls or chats, twice."""
    server(f"{kind}s", ROWS, *([True] if kind == "call" else []))
    write_rows(path, f'"{kind}_id": "{kind}_{{}}"', DIFFERENT)
    operator: Any = {"call": BulkUpdateCallOperator, "chat": BulkUpdateChatOperator}[kind]
    task = operator(task_id="bulk", rows=FileRows(str(path)), quota=NO_QUOTA)
    runs = [spend(server, task, f"update-{kind}", f"list-{kind}s") for _ in range(2)]
    right = server("metadata", {"tier": "gold", "customer": "C-1001"})
    show(runs, DIFFERENT, f"update-{kind}", f"list-{kind}s")
    chunks = ROWS // 1000
    promises.keep(
        f"one update per differing {kind} and one list request per 1,000 rows",
        runs[0][2:] == (DIFFERENT, chunks, 0),
    )
    promises.keep(f"no update of {kind}s in the second run", runs[1][2:] == (0, chunks, 0))
    promises.keep(f"every {kind} has the right metadata", right == DIFFERENT)
    print()


def contacts(server: Server, path: Path, promises: Promises) -> None:
    """Sync contacts, twice."""
    server("contacts", ROWS)
    write_rows(path, '"phone_number": "+1415{:07}"', DIFFERENT_CONTACTS)
    task = SyncContactsOperator(task_id="sync", rows=FileRows(str(path)), columns=["tier"], quota=NO_QUOTA)
    runs = [spend(server, task, "update-contact", "list-contacts") for _ in range(2)]
    right = server("custom fields", {"tier": "gold"})
    show(runs, DIFFERENT_CONTACTS, "update-contact", "list-contacts")
    pages = ROWS // 1000
    promises.keep(
        "one update per differing contact and one list request per 1,000 contacts",
        runs[0][2:] == (DIFFERENT_CONTACTS, pages, 0),
    )
    promises.keep("no update of contacts in the second run", runs[1][2:] == (0, pages, 0))
    promises.keep("every contact has the right custom field", right == DIFFERENT_CONTACTS)


def write_rows(path: Path, key: str, different: int) -> None:
    """Write one row per record; *different* of them have another value."""
    with path.open("w") as file:
        for number in range(ROWS):
            tier = "gold" if number % (ROWS // different) == 0 else "silver"
            file.write(f'{{{key.format(number)}, "tier": "{tier}"}}\n')


def spend(server: Server, task: Any, write: str, read: str) -> tuple[int, ...]:
    """Run *task*; return its updated and unchanged rows, and its requests: writes, reads and others."""
    before = [server("count", route, None) for route in (write, read, None)]
    context = Context()
    task.execute(context)
    after = [server("count", route, None) for route in (write, read, None)]
    writes, reads, all_ = (new - old for new, old in zip(after, before, strict=True))
    return (
        context.manifest["updated"],
        context.manifest["unchanged"],
        writes,
        reads,
        all_ - writes - reads,
    )


def show(runs: list[tuple[int, ...]], different: int, write: str, read: str) -> None:
    """Print the requests."""
    print(f"requests_spent: {ROWS:,} rows, {different:,} of them different\n")
    names = ("first run", "second run", "one request per row")
    rows = [*runs, ("", "", ROWS, 0, 0)]
    table(
        ("", "updated", "unchanged", write, read, "others"),
        ((name, *run) for name, run in zip(names, rows, strict=True)),
    )
    print()


if __name__ == "__main__":
    main()
