"""
### Score each call when it ends

When calls end, `CallEventTrigger` starts a run of this DAG. One task per call reads the transcript, scores it, and
writes the scores to the metadata of the call.

The transcript and the scores exist only in memory, between two requests to Retell: the event, XCom, the logs and the UI
have ids of calls only. Therefore one task does the three steps. A task that returned the transcript to another one
would store it in Airflow's database.

The task is idempotent: a call that has a score is left alone, so a repeated event or a cleared task does not pay a
model again.

Prerequisites:

- Airflow 3 with a running triggerer
- the connection `retell_default` of type *Retell AI*, with the API key as its password

Unpause the DAG and end a call: a run starts within a minute. Or trigger it with `{"call_ids": ["call_5d2e01"]}`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from airflow.sdk import Asset, AssetWatcher, dag, get_current_context, task
except ImportError:
    # Airflow 2 has no asset watchers. This file defines no DAG there, so that it can stay in a shared DAGs folder.
    pass
else:
    from airflow_provider_retell.hooks import RetellHook
    from airflow_provider_retell.triggers import CallEventTrigger

    # Transcripts are complete when a call ends. To use Retell's analysis too, choose event="analyzed".
    calls_to_score = Asset(
        "retell_calls_to_score",
        watchers=[AssetWatcher(name="ended", trigger=CallEventTrigger(event="ended", poll_interval=10))],
    )

    def score_transcript(transcript: str) -> dict[str, Any]:
        """Return the scores of a transcript. Yours asks a model."""
        said = [line for line in transcript.splitlines() if line.startswith("User:")]
        questions = sum("?" in line for line in said)
        return {"score": min(len(said), 10), "open_questions": questions, "scored_by": "example-1"}

    @dag(
        schedule=[calls_to_score],
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        max_active_runs=1,  # an update reads, then writes: two runs could overwrite each other's changes
        params={"call_ids": []},
        default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
        tags=["example", "retell"],
        doc_md=__doc__,
    )
    def score_ended_calls() -> None:
        """Score the calls that have ended since the last run."""

        @task(inlets=[calls_to_score])
        def ended_calls(triggering_asset_events: Any = None) -> list[str]:
            """Return the ids of the calls, or those of a run that was triggered by hand."""
            events = triggering_asset_events[calls_to_score] if triggering_asset_events else []
            payloads = [event.extra.get("payload", event.extra) for event in events]
            ids = [call["call_id"] for payload in payloads for call in payload["calls"]]
            return list(dict.fromkeys([*ids, *get_current_context()["params"]["call_ids"]]))

        @task(max_active_tis_per_dag=8, map_index_template="{{ call_id }}")
        def score(call_id: str) -> str:
            """Read, score and update one call. The result is not private."""
            get_current_context()["call_id"] = call_id  # for the label of the mapped task
            with RetellHook() as hook:
                call = hook.get_call(call_id)
                if not call.transcript:
                    return "no transcript"  # nobody answered
                if "score" in (call.metadata or {}):
                    return "has a score"
                # Merges: the other keys of the metadata stay.
                hook.update_call_checked(call_id, metadata=score_transcript(call.transcript))
            return "scored"

        score.expand(call_id=ended_calls())

    score_ended_calls()
