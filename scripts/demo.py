"""Run two example DAGs in a real Airflow against an emulated Retell, and show the changes (`make demo`).

Exits with 0 only if both runs succeed and every call has exactly the expected metadata.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from airflow_provider_retell.emulator import Emulator
from sandbox import (
    AIRFLOW_VERSION,
    API_KEY,
    ROOT,
    SAMPLE_CALLS,
    airflow,
    connection,
    environment,
    home,
    sqlite_connection,
)

DAG_ID = "enrich_call_after_pipeline"
BULK_DAG_ID = "bulk_enrich_from_warehouse"
DAY = "2026-11-21"

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
    "call_5d2e04": {"churn_risk": 0.35, "customer_segment": "new"},
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
    print(f"\nThe calls' metadata:\n\n{table(before, after)}\n")
    wrong = [
        call_id
        for call_id, metadata in before.items()
        if after[call_id] != metadata | expected.get(call_id, {})
    ]
    if wrong:
        fail(f"unexpected metadata: {', '.join(wrong)}.", log)


def main() -> None:
    """Run the demo."""
    airflow_home = home("demo")
    log = airflow_home / "demo.log"
    log.write_text("", encoding="utf-8")
    for old in airflow_home.glob("retell_*.jsonl"):
        old.unlink()
    with Emulator(api_key=API_KEY) as emulator:
        for call_id, metadata in SAMPLE_CALLS.items():
            emulator.add_call(call_id=call_id, call_status="ended", metadata=copy.deepcopy(metadata))

        def metadata_now() -> Metadata:
            return {call_id: copy.deepcopy(emulator.calls[call_id]["metadata"]) for call_id in SAMPLE_CALLS}

        print(f"An emulated Retell serves {len(SAMPLE_CALLS)} ended calls on {emulator.url}")
        env = environment(airflow_home) | {
            "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url),
            "AIRFLOW_CONN_WAREHOUSE": sqlite_connection(airflow_home / "warehouse.db"),
            "RETELL_REPORTS": str(airflow_home),
        }
        run(f"Preparing Airflow {AIRFLOW_VERSION}'s database", airflow("db", "migrate"), env, log)
        run(f"Running the DAG {DAG_ID} for {DAY}", airflow("dags", "test", DAG_ID, DAY), env, log)
        enriched = metadata_now()
        show(SAMPLE_CALLS, enriched, EXPECTED, log)
        run(f"Running the DAG {BULK_DAG_ID} for {DAY}", airflow("dags", "test", BULK_DAG_ID, DAY), env, log)
        show(enriched, metadata_now(), EXPECTED_OF_BULK, log)

    # The name of the report contains the day of the run.
    (report,) = airflow_home.glob("retell_*.jsonl")
    outcomes = Counter(
        json.loads(line)["outcome"] for line in report.read_text(encoding="utf-8").splitlines()
    )
    print(f"Its report: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}\n")
    print(
        f"OK: the DAGs updated {len(EXPECTED)} of {len(SAMPLE_CALLS)} calls as expected, and changed nothing else."
    )
    print(f"The DAGs: example_dags/{DAG_ID}.py, {BULK_DAG_ID}.py   Airflow's log: {log.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
