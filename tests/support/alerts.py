"""Contexts and calls of ``PhoneCallNotifier``, as Airflow makes them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from tasks import DAG

from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier

__all__ = ["DAG", "DAG_A", "FROM", "PRIVATE", "TO", "WAYS", "context", "notifier", "notify"]

FROM, TO = "+14155550101", "+14155550102"
PRIVATE = "zebra-umbrella"
WAYS = ["sync", "async"]
DAG_A = DAG("dag_a", schedule=None)


def notifier(**arguments: Any) -> PhoneCallNotifier:
    return PhoneCallNotifier(**{"from_number": FROM, "to_number": TO, **arguments})


def context(
    task: str = "load", run: str = "run_1", dag: str = "dag_a", try_number: int = 1, **more: Any
) -> dict[str, Any]:
    """Return the parts of a task callback's context that the notifier and Airflow use."""
    ti = SimpleNamespace(dag_id=dag, run_id=run, task_id=task, map_index=-1, try_number=try_number)
    return {
        "dag": DAG_A,
        "dag_run": SimpleNamespace(dag_id=dag, run_id=run),
        "ti": ti,
        "task_instance": ti,
        "exception": ValueError(PRIVATE),
        **more,
    }


def notify(notifier: PhoneCallNotifier, given: dict[str, Any], way: str = "sync") -> None:
    """Run *notifier* as a worker does (``sync``), or as the triggerer does (``async``)."""
    if way == "sync":
        notifier(given)
    else:
        asyncio.run(notifier.async_notify(given))
