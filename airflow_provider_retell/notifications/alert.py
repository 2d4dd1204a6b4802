"""Place one phone call about a failure, even if many processes report it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Alert:
    """A failure to report by phone, and the limits on calls about it.

    :ivar from_number: the number that calls, in E.164 format.
    :ivar to_number: the number to call, in E.164 format.
    :ivar dag_id: the DAG's id, unique in the Retell organization.
    :ivar run_id: the id of the DAG run.
    :ivar event: the rest of the event's identity, for example task id, map index and try number.
    :ivar variables: the dynamic variables for the agent.
    :ivar override_agent_id: the agent that speaks, in place of the number's own.
    :ivar cooldown: seconds after a call during which the DAG does not call the number again.
    :ivar max_calls: the maximum number of calls per DAG run.
    """

    from_number: str = field(repr=False)
    to_number: str = field(repr=False)
    dag_id: str
    run_id: str
    event: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    override_agent_id: str | None = None
    cooldown: float = 900
    max_calls: int = 1


def place_alert(alert: Alert) -> Flow[str]:
    """Place the call unless a limit forbids it, and return a description of the outcome.

    Concurrent reporters list the same earlier calls and therefore send the same idempotency key, so Retell places one
    call. With a cooldown, the key depends on the DAG's newest call; without one, it depends on the number of calls of
    this run. If the calls cannot be listed, the key is that of the run's first call: an API key without permission to
    list calls must not prevent the alert.
    """
    dag = _digest(alert.dag_id, alert.to_number)
    run = _digest(alert.dag_id, alert.to_number, alert.run_id)
    event = _digest(alert.dag_id, alert.to_number, alert.run_id, *alert.event)
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
    if any(call.get(EVENT_METADATA) == event for call in earlier):
        return "not called: an earlier call reported this event"
    of_run = sum(call.get(RUN_METADATA) == run for call in earlier)
    if of_run >= alert.max_calls:
        return f"not called: this run has placed {of_run} calls already"
    if any(now - _placed_at(call) < alert.cooldown for call in earlier):
        return f"not called: an earlier call was placed within the last {alert.cooldown:g} s"
    newest = max(earlier, key=_placed_at, default={"call_id": ""})
    turn = (dag, newest["call_id"]) if unlisted is None and alert.cooldown > 0 else (run, str(of_run))
    placed: Call = yield endpoints.create_phone_call(
        alert.from_number,
        alert.to_number,
        override_agent_id=alert.override_agent_id,
        retell_llm_dynamic_variables={name: str(value) for name, value in alert.variables.items()},
        metadata={
            DAG_METADATA: dag,
            RUN_METADATA: run,
            EVENT_METADATA: event,
            PLACED_AT_METADATA: round(now, 3),
        },
        idempotency_key=f"airflow-alert-{_digest(*turn)}",
    )
    count_alert(str(alert.variables.get("dag_id", "")))
    note = f"; earlier calls could not be listed, so more calls may follow: {unlisted}" if unlisted else ""
    return f"placed call {placed.call_id}{note}"


def _placed_at(call: Mapping[str, Any]) -> float:
    # Retell sets no timestamps while it dials, nor on unanswered calls.
    at = call.get(PLACED_AT_METADATA)
    return float(at) if isinstance(at, (int, float)) else 0.0


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
