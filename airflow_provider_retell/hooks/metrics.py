"""Counters for Airflow's metrics (StatsD, Datadog or OpenTelemetry). The guide is docs/metrics.md."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat.services import increment_metric

if TYPE_CHECKING:
    from airflow_provider_retell.api.quota import Usage

log = logging.getLogger(__name__)


def count_usage(usage: Usage, conn_id: str) -> None:
    """Count the requests of a hook, and the seconds for which the quota delayed them, since the last call."""
    requests, seconds = usage.since_last_count()
    _count("requests", requests, conn_id=conn_id)
    _count("held_back_seconds", round(seconds, 3), conn_id=conn_id)


def count_rows(counts: Iterable[tuple[str, int]], ti: Any) -> None:
    """Count the rows of a bulk task: *counts* has pairs of an outcome and a number."""
    for outcome, number in counts:
        _count(f"rows.{outcome}", number, **_of_task(ti))


def count_calls_placed(number: int, ti: Any) -> None:
    """Count the calls of a task that Retell has accepted."""
    _count("calls_placed", number, **_of_task(ti))


def count_alert(dag_id: str) -> None:
    """Count a call about a failure that Retell has accepted."""
    _count("calls_placed", 1, dag_id=dag_id)


def _of_task(ti: Any) -> dict[str, str]:
    return {name: getattr(ti, name, "") for name in ("dag_id", "task_id")}


def _count(name: str, number: float, **tags: str) -> None:
    if not number:
        return
    try:
        increment_metric(f"retell.{name}", number, {tag: value for tag, value in tags.items() if value})
    except Exception as error:  # a metric must never fail a task
        log.debug("The metric retell.%s could not be sent: %s", name, type(error).__name__)
