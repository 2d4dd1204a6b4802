"""
### Start when calls end

`CallEventTrigger` watches Retell for calls that end, and tells of them in events of the asset `retell_ended_calls`.
This DAG runs when there are new events, and notes on each call who has looked at it.

It needs Airflow 3, a running triggerer, and a connection `retell_default` of type *Retell AI* with the API key as its
password. Unpause the DAG and end a call: it starts within a minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import Asset, AssetWatcher, dag, task
except ImportError:
    # Airflow 2 has no asset watchers. Nothing is defined then, so that this file does no harm in a shared folder.
    pass
else:
    from airflow_provider_retell.operators.call import UpdateCallOperator
    from airflow_provider_retell.triggers.call_event import CallEventTrigger

    ended_calls = Asset(
        "retell_ended_calls",
        watchers=[AssetWatcher(name="call_ended", trigger=CallEventTrigger(event="ended", poll_interval=10))],
    )

    @dag(
        schedule=[ended_calls],
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        max_active_runs=1,  # a merge reads, then writes: two runs at once on one call could undo each other
        default_args={
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "show_return_value_in_logs": False,  # what is written onto a call is nothing for a log
        },
        tags=["example", "retell"],
        doc_md=__doc__,
    )
    def call_events() -> None:
        """Write onto the calls that have ended since the last run."""

        @task(inlets=[ended_calls])
        def new_calls(triggering_asset_events: Any = None) -> list[dict[str, Any]]:
            """Make the arguments of one update per call.

            A call may come twice if a triggerer was killed at the wrong moment, so what a DAG does with it should bear
            repeating. Updates do.
            """
            events = triggering_asset_events[ended_calls] if triggering_asset_events else []
            # The trigger's facts are in "payload"; those of the webhook receiver are the event's extra itself.
            facts = [event.extra.get("payload", event.extra) for event in events]
            calls = {call["call_id"]: call for fact in facts for call in fact["calls"]}
            return [
                {
                    "call_id": call["call_id"],
                    "metadata": {
                        "follow_up": call["disconnection_reason"] in ("dial_no_answer", "dial_busy"),
                        "seen_by": "call_events",
                    },
                }
                for call in calls.values()
            ]

        UpdateCallOperator.partial(
            task_id="enrich_call",
            metadata_mode="merge",  # keep what is there
            map_index_template="{{ task.call_id }}",
        ).expand_kwargs(new_calls())

    call_events()
