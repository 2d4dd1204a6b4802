"""Call somebody about a failure: once, however many report it."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import Call, CallPage
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.request import Flow

DAG_MARK = "airflow_alert"
RUN_MARK = "airflow_alert_run"
EVENT_MARK = "airflow_alert_event"
PLACED_AT = "airflow_alert_placed_at"

_MOST_READ = 100


@dataclass(frozen=True)
class Alert:
    """Whom to call, about what, and how often at most.

    :ivar dag_id: what tells the DAG from all others of the organization.
    :ivar event: what tells this event of the run from its others.
    :ivar cooldown: seconds in which the same DAG does not call the same number again.
    :ivar max_calls: how often one DAG run may call at most.
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
    """Place the call unless it was placed before; return what was done, in words.

    Reporters that ask at one moment see the same calls, so they ask under the same idempotency key, and Retell places
    one. With a cool-down all runs of the DAG take turns, each call after the newest before it; without one each run
    counts its own calls. If the calls cannot be listed, the key is that of the run's first call: an API key that may
    not read calls is no reason to call nobody.
    """
    dag = _digest(alert.dag_id, alert.to_number)
    run = _digest(alert.dag_id, alert.to_number, alert.run_id)
    event = _digest(alert.dag_id, alert.to_number, alert.run_id, *alert.event)
    now = time.time()
    earlier: list[Mapping[str, Any]] = []
    unlisted: RetellError | None = None
    try:
        criteria = {"metadata": [{"type": "string", "op": "eq", "value": dag, "key": DAG_MARK}]}
        listing = endpoints.list_calls(filter_criteria=criteria, limit=_MOST_READ)
        # One try: there is little time, and the call can be placed without the list.
        page: CallPage = yield dataclasses.replace(listing, idempotent=False)
        earlier = [{**(call.metadata or {}), "call_id": call.call_id} for call in page.items]
    except RetellError as error:
        unlisted = error
    if any(call.get(EVENT_MARK) == event for call in earlier):
        return "not called: this was called about before"
    of_run = sum(call.get(RUN_MARK) == run for call in earlier)
    if of_run >= alert.max_calls:
        return f"not called: this run has called {of_run} times already"
    if any(now - _placed_at(call) < alert.cooldown for call in earlier):
        return f"not called: called within the last {alert.cooldown:g} s"
    newest = max(earlier, key=_placed_at, default={"call_id": ""})
    turn = (dag, newest["call_id"]) if unlisted is None and alert.cooldown > 0 else (run, str(of_run))
    placed: Call = yield endpoints.create_phone_call(
        alert.from_number,
        alert.to_number,
        override_agent_id=alert.override_agent_id,
        retell_llm_dynamic_variables={name: str(value) for name, value in alert.variables.items()},
        metadata={DAG_MARK: dag, RUN_MARK: run, EVENT_MARK: event, PLACED_AT: round(now, 3)},
        idempotency_key=f"airflow-alert-{_digest(*turn)}",
    )
    note = f"; earlier calls could not be looked for, so more may follow: {unlisted}" if unlisted else ""
    return f"call {placed.call_id}{note}"


def _placed_at(call: Mapping[str, Any]) -> float:
    # Retell's own timestamps are missing while it dials, and for calls that nobody answers.
    at = call.get(PLACED_AT)
    return float(at) if isinstance(at, (int, float)) else 0.0


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
