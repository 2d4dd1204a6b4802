"""The archive of recordings that a test kills."""

from __future__ import annotations

from typing import Any

# Tasks are forked, so all imports come first.
from airflow_provider_retell.bulk.recordings import run as _run  # noqa: F401
from airflow_provider_retell.emulator import FakeTaskInstance
from airflow_provider_retell.hooks import aiohttp_transport as _transport  # noqa: F401
from airflow_provider_retell.operators import ArchiveRecordingsOperator


def run(**arguments: Any) -> None:
    """Copy the recordings."""
    ArchiveRecordingsOperator(task_id="a_task", **arguments).execute({"ti": FakeTaskInstance()})
