"""The bulk update that a test kills."""

from __future__ import annotations

from typing import Any

# Tasks are forked, so all imports come first.
from airflow_provider_retell.bulk import engine as _engine  # noqa: F401
from airflow_provider_retell.emulator import FakeTaskInstance
from airflow_provider_retell.hooks import aiohttp_transport as _transport  # noqa: F401
from airflow_provider_retell.operators import BulkUpdateCallOperator


def run(count: int, **arguments: Any) -> None:
    """Update *count* calls."""
    rows = [{"call_id": f"call_{n}", "n": n} for n in range(count)]
    operator = BulkUpdateCallOperator(task_id="update", rows=lambda: rows, **arguments)
    operator.work({"ti": FakeTaskInstance()})
