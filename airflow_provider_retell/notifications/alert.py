"""Place one phone call about a failure, even if many processes report it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import Call, CallPage
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.metrics import count_alert

# Metadata keys of the calls that alerts place. Later alerts find earlier calls by them.
DAG_METADATA = "airflow_alert"
RUN_METADATA = "airflow_alert_run"
EVENT_METADATA = "airflow_alert_event"
PLACED_AT_METADATA = "airflow_alert_placed_at"

_MAX_CALLS_READ = 100


def place_alert(
    *,
    from_number: str,
    to_number: str,
    dag_id: str,
    run_id: str,
    event: Sequence[str],
    variables: Mapping[str, str],
    override_agent_id: str | None,
    cooldown: float,
    max_calls: int,
) -> Flow[str]:
    """Place the call unless a limit forbids it, and return a description of the outcome.

    Concurrent reporters list the same earlier calls and therefore send the same idempotency key, so Retell places one
    call. With a cooldown, the key depends on the DAG's newest call; without one, it depends on the number of calls of
    this run. If the calls cannot be listed, the key is that of the run's first call: an API key without permission to
    list calls must not prevent the alert.

    :param dag_id: the DAG's id, unique in the Retell organization.
    :param event: the rest of the event's identity, for example task id, map index and try number.
    :param variables: the dynamic variables for the agent.
    :param cooldown: seconds after a call during which the DAG does not call the number again.
    :param max_calls: the maximum number of calls per DAG run.
    """
    dag = _digest(dag_id, to_number)
    run = _digest(dag_id, to_number, run_id)
    event_digest = _digest(dag_id, to_number, run_id, *event)
    now = clock().time()
    earlier: list[Mapping[str, Any]] = []
    unlisted: RetellError | None = None
    try:
        criteria = {"metadata": [{"type": "string", "op": "eq", "value": dag, "key": DAG_METADATA}]}
        listing = endpoints.list_calls(filter_criteria=criteria, limit=_MAX_CALLS_READ)
        # One attempt: callbacks have little time, and the call can be placed without the list.
        page: CallPage = yield dataclasses.replace(listing, idempotent=False)
        earlier = [{**(call.metadata or {}), "call_id": call.call_id} for call in page.items]
    except RetellError as error:
        unlisted = error
    if any(call.get(EVENT_METADATA) == event_digest for call in earlier):
        return "not called: an earlier call reported this event"
    of_run = sum(call.get(RUN_METADATA) == run for call in earlier)
    if of_run >= max_calls:
        return f"not called: this run has placed {of_run} calls already"
    if any(now - _placed_at(call) < cooldown for call in earlier):
        return f"not called: an earlier call was placed within the last {cooldown:g} s"
    newest = max(earlier, key=_placed_at, default={"call_id": ""})
    turn = (dag, newest["call_id"]) if unlisted is None and cooldown > 0 else (run, str(of_run))
    placed: Call = yield endpoints.create_phone_call(
        from_number,
        to_number,
        override_agent_id=override_agent_id,
        retell_llm_dynamic_variables={name: str(value) for name, value in variables.items()},
        metadata={
            DAG_METADATA: dag,
            RUN_METADATA: run,
            EVENT_METADATA: event_digest,
            PLACED_AT_METADATA: round(now, 3),
        },
        idempotency_key=f"airflow-alert-{_digest(*turn)}",
    )
    count_alert(str(variables.get("dag_id", "")))
    note = f"; earlier calls could not be listed, so more calls may follow: {unlisted}" if unlisted else ""
    return f"placed call {placed.call_id}{note}"


def _placed_at(call: Mapping[str, Any]) -> float:
    # Retell sets no timestamps while it dials, nor on unanswered calls.
    at = call.get(PLACED_AT_METADATA)
    return float(at) if isinstance(at, (int, float)) else 0.0


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
