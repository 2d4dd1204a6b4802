"""
### Start a run when calls end

`CallEventTrigger` polls Retell and emits an event of the asset `retell_ended_calls` when calls end. Each event starts a
run of this DAG, which updates the metadata of the calls.

Prerequisites:

- Airflow 3 with a running triggerer
- the connection `retell_default` of type *Retell AI*, with the API key as its password

Unpause the DAG and end a call: a run starts within a minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import Asset, AssetWatcher, dag, task
except ImportError:
    # Airflow 2 has no asset watchers. This file defines no DAG there, so that it can stay in a shared DAGs folder.
    pass
else:
    from airflow_provider_retell.operators import UpdateCallOperator
    from airflow_provider_retell.triggers import CallEventTrigger

    ended_calls = Asset(
        "retell_ended_calls",
        watchers=[AssetWatcher(name="call_ended", trigger=CallEventTrigger(event="ended", poll_interval=10))],
    )

    @dag(
        schedule=[ended_calls],
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        max_active_runs=1,  # an update reads, then writes: two runs could overwrite each other's changes
        default_args={
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "show_return_value_in_logs": False,  # keep customers' data out of the logs
        },
        tags=["example", "retell"],
        doc_md=__doc__,
    )
    def call_events() -> None:
        """Update the calls that have ended since the last run."""

        @task(inlets=[ended_calls])
        def new_calls(triggering_asset_events: Any = None) -> list[dict[str, Any]]:
            """Return the arguments of one update per call.

            If a triggerer is killed right after an event, the same call may appear again in a later event. The tasks
            of such a DAG should be idempotent, as an update is.
            """
            events = triggering_asset_events[ended_calls] if triggering_asset_events else []
            # The trigger puts its payload under "payload"; for the webhook receiver, the extra is the payload.
            payloads = [event.extra.get("payload", event.extra) for event in events]
            calls = {call["call_id"]: call for payload in payloads for call in payload["calls"]}
            return [
                {
                    "call_id": call["call_id"],
                    "metadata": {
                        "follow_up": call["disconnection_reason"] in ("dial_no_answer", "dial_busy"),
                        "processed_by": "call_events",
                    },
                }
                for call in calls.values()
            ]

        UpdateCallOperator.partial(
            task_id="enrich_call",
            map_index_template="{{ task.call_id }}",
        ).expand_kwargs(new_calls())

    call_events()
