"""Requests of BulkUpdateCallOperator for 100,000 rows with 1,000 differences, and for the same rows again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from common import NO_QUOTA, Context, Promises, Server, quiet, table

ROWS = 100_000
DIFFERENT = 1_000


def main() -> None:
    """Run the benchmark."""
    quiet()
    runs = []
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        server.connect(list_quota=NO_QUOTA)
        server("calls", ROWS, True)
        path = Path(directory) / "rows.jsonl"
        with path.open("w") as file:
            for number in range(ROWS):
                tier = "gold" if number % (ROWS // DIFFERENT) == 0 else "silver"
                file.write(f'{{"call_id": "call_{number}", "tier": "{tier}"}}\n')
        for _ in range(2):
            before = [server("count", route, None) for route in ("update-call", "list-calls", None)]
            task = BulkUpdateCallOperator(task_id="bulk", rows=FileRows(str(path)), quota=NO_QUOTA)
            context = Context()
            task.execute(context)
            manifest = context.manifest
            after = [server("count", route, None) for route in ("update-call", "list-calls", None)]
            updates, lists, all_ = (new - old for new, old in zip(after, before, strict=True))
            runs.append((manifest["updated"], manifest["unchanged"], updates, lists, all_ - updates - lists))
        right = server("metadata", {"tier": "gold", "customer": "C-1001"})
    print(f"requests_spent: {ROWS:,} rows, {DIFFERENT:,} of them different\n")
    names = ("first run", "second run", "one request per row")
    table(
        ("", "updated", "unchanged", "update-call", "list-calls", "others"),
        ((name, *run) for name, run in zip(names, [*runs, ("", "", ROWS, 0, 0)], strict=True)),
    )
    print()
    promises = Promises()
    chunks = ROWS // 1000
    promises.keep(
        "one update per differing row and one list request per 1,000 rows",
        runs[0][2:] == (DIFFERENT, chunks, 0),
    )
    promises.keep("no update in the second run", runs[1][2:] == (0, chunks, 0))
    promises.keep("every call has the right metadata", right == DIFFERENT)
    promises.end()


if __name__ == "__main__":
    main()
