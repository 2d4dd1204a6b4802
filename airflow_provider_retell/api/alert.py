"""Call somebody about a failure: once, however many report it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.change import Procedure
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.models import Call, CallPage

MARK = "airflow_alert"
RUN_MARK = "airflow_alert_run"


@dataclass(frozen=True)
class Alert:
    """Whom to call, about what, and how often at most.

    :ivar cooldown: seconds in which the same DAG does not call the same number again.
    :ivar max_calls: how often one DAG run may call at most.
    """

    from_number: str = field(repr=False)
    to_number: str = field(repr=False)
    dag_id: str
    run_id: str
    variables: Mapping[str, str] = field(repr=False)
    override_agent_id: str | None = None
    cooldown: float = 900
    max_calls: int = 1


def place_alert(alert: Alert) -> Procedure[str]:
    """Place the call unless it was placed before; return what was done, in words.

    Reporters that ask at one moment all see the same calls, so they all ask under the same idempotency key, and
    Retell places one call. If the calls cannot be listed, the call is placed anyway, under the run's first key.
    """
    mark = _digest(alert.dag_id, alert.to_number)
    run_mark = _digest(alert.dag_id, alert.to_number, alert.run_id)
    marked = {"metadata": [{"type": "string", "op": "eq", "value": mark, "key": MARK}]}
    earlier: list[Call] = []
    try:
        page: CallPage = yield endpoints.list_calls(filter_criteria=marked, limit=100)
        earlier = page.items
    except RetellError as error:
        if error.permanent:
            raise
    of_run = sum((call.metadata or {}).get(RUN_MARK) == run_mark for call in earlier)
    if of_run >= alert.max_calls:
        return f"not called: this run has called {of_run} times already"
    since = (time.time() - alert.cooldown) * 1000
    if any(call.start_timestamp is None or call.start_timestamp >= since for call in earlier):
        return f"not called: called within the last {alert.cooldown:g} s"
    placed: Call = yield endpoints.create_phone_call(
        alert.from_number,
        alert.to_number,
        override_agent_id=alert.override_agent_id,
        retell_llm_dynamic_variables={name: str(value) for name, value in alert.variables.items()},
        metadata={MARK: mark, RUN_MARK: run_mark},
        idempotency_key=f"airflow-alert-{run_mark}-{of_run}",
    )
    return f"call {placed.call_id}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
