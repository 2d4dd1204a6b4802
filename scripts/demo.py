"""Run two example DAGs in a real Airflow against an emulated Retell, and show the changes (`make demo`).

The second DAG runs twice: one of its rows cannot be written, and its second run has nothing to send. Exits with 0 only
if all runs succeed and every call has exactly the expected metadata.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from airflow_provider_retell.emulator import Emulator
from sandbox import (
    AIRFLOW_VERSION,
    API_KEY,
    ROOT,
    SAMPLE_CALLS,
    add_sample_calls,
    airflow,
    connection,
    environment,
    home,
    sqlite_connection,
)

DAG_ID = "enrich_call_after_pipeline"
BULK_DAG_ID = "bulk_enrich_from_warehouse"
# The logical date of the runs. The bulk update covers the day before, on which the sample calls took place.
DAY = datetime.now(timezone.utc).date().isoformat()
# Deleted at Retell between the two DAGs, but still in the warehouse.
DELETED = "call_5d2e04"

# The metadata that the first DAG adds, by call id. All other metadata must stay unchanged.
EXPECTED: dict[str, dict[str, Any]] = {
    "call_5d2e01": {"tier": "gold", "lifetime_value": 18250.4, "churn_risk": 0.07, "renewal": "2027-03-01"},
    "call_5d2e02": {"tier": "silver", "lifetime_value": 2310, "churn_risk": 0.64, "renewal": "2026-12-15"},
    "call_5d2e03": {
        **{"tier": "gold", "lifetime_value": 9120.99, "churn_risk": 0.81, "renewal": "2027-01-31"},
        **{"follow_up": "gold customer at risk", "campaign": "autumn", "enriched_on": DAY},
    },
    "call_5d2e04": {"tier": "bronze", "lifetime_value": 0},
}

# The metadata that the second DAG adds. Its other values are already on the calls.
EXPECTED_OF_BULK: dict[str, dict[str, Any]] = {
    "call_5d2e01": {"churn_risk": 0.11, "customer_segment": "loyal"},
    "call_5d2e02": {"customer_segment": "undecided"},
    "call_5d2e03": {"customer_segment": "at risk"},
}

Metadata = dict[str, dict[str, Any]]


def table(before: Metadata, after: Metadata) -> str:
    """Return one line per call and key; an arrow marks a change."""
    rows = [("CALL", "KEY", "BEFORE", "", "AFTER")]
    for call_id in after:
        keys = list(dict.fromkeys([*before[call_id], *after[call_id]]))
        for position, key in enumerate(keys or ["(no metadata)"]):
            old, new = (str(side[call_id].get(key, "")) for side in (before, after))
            rows.append((call_id if position == 0 else "", key, old, "->" if old != new else "", new))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def run(what: str, command: list[str], env: dict[str, str], log: Path) -> None:
    """Run an Airflow command with its output in the log; exit with the reason if it fails."""
    print(f"{what} ... ", end="", flush=True)
    started = time.monotonic()
    with log.open("a", encoding="utf-8") as output:
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    print(f"{time.monotonic() - started:.0f} s")
    if done.returncode:
        fail(f"`airflow {' '.join(command[3:])}` ended with exit code {done.returncode}.", log)


def fail(reason: str, log: Path) -> None:
    """Print the end of the log and the reason, and exit."""
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
    sys.exit("\n".join(["", *tail, "", f"FAILED: {reason}", f"The whole log: {log.relative_to(ROOT)}"]))


def show(before: Metadata, after: Metadata, expected: Metadata, log: Path) -> None:
    """Print the changes of a DAG, and exit if they are not the expected ones."""
    print(f"\nThe calls' metadata:\n\n{table(before, after)}")
    wrong = [
        call_id
        for call_id, metadata in after.items()
        if metadata != before[call_id] | expected.get(call_id, {})
    ]
    if wrong:
        fail(f"unexpected metadata: {', '.join(wrong)}.", log)


def show_report(airflow_home: Path, expected: dict[str, int], log: Path) -> None:
    """Print the report of the last bulk update and remove it; exit if it does not have the expected outcomes."""
    (path,) = airflow_home.glob("retell_*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.unlink()
    print("\nThe report, one line per row:\n")
    for line in sorted(lines, key=lambda line: line["row"]):
        reason = f"  {line['reason']}" if line["reason"] else ""
        print(f"  row {line['row']}  {line['call_id']}  {line['outcome']:<9}{reason}".rstrip())
    outcomes = [line["outcome"] for line in lines]
    if {outcome: outcomes.count(outcome) for outcome in outcomes} != expected:
        fail("unexpected outcomes in the report.", log)


def main() -> None:
    """Run the demo."""
    airflow_home = home("demo")
    log = airflow_home / "demo.log"
    log.write_text("", encoding="utf-8")
    for old in airflow_home.glob("retell_*.jsonl"):
        old.unlink()
    with Emulator(api_key=API_KEY) as emulator:
        add_sample_calls(emulator)

        def metadata_now() -> Metadata:
            return {call_id: dict(call["metadata"]) for call_id, call in emulator.calls.items()}

        print(f"An emulated Retell serves {len(SAMPLE_CALLS)} calls of yesterday on {emulator.url}")
        env = environment(airflow_home) | {
            "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url),
            "AIRFLOW_CONN_WAREHOUSE": sqlite_connection(airflow_home / "warehouse.db"),
            "RETELL_REPORTS": str(airflow_home),
        }
        run(f"Preparing Airflow {AIRFLOW_VERSION}'s database", airflow("db", "migrate"), env, log)

        run(f"\n1. The DAG {DAG_ID}, run for {DAY}", airflow("dags", "test", DAG_ID, DAY), env, log)
        enriched = metadata_now()
        show(SAMPLE_CALLS, enriched, EXPECTED, log)
        print(
            "An arrow marks a change. Nothing was sent for call_5d2e05: its customer is not in the pipeline's data."
        )

        del emulator.calls[DELETED]
        print(f"Meanwhile, {DELETED} is deleted at Retell. The warehouse still has a row for it.")
        bulk = airflow("dags", "test", BULK_DAG_ID, DAY)
        run(f"\n2. The DAG {BULK_DAG_ID}, run for {DAY}: the scores of the day before", bulk, env, log)
        updated = metadata_now()
        show(enriched, updated, EXPECTED_OF_BULK, log)
        show_report(airflow_home, {"updated": 3, "not_found": 1}, log)
        print(
            "\nThe task tolerates rows of deleted calls, so the run succeeds. A row with another error would fail it."
        )

        sent = emulator.count("update-call")
        run("\n3. The same DAG again", bulk, env, log)
        show_report(airflow_home, {"unchanged": 3, "not_found": 1}, log)
        if emulator.count("update-call") != sent or metadata_now() != updated:
            fail("the second run changed something.", log)
        print("\nThe second run sent no update: it read the calls, and all of them were up to date.")

    print(
        f"\nOK: the DAGs updated {len(EXPECTED)} of {len(SAMPLE_CALLS)} calls as expected, and changed nothing else."
    )
    print(f"The DAGs: example_dags/{DAG_ID}.py, {BULK_DAG_ID}.py   Airflow's log: {log.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
