"""Retell on localhost: an emulator of its REST API for tests and demonstrations.

``python -m airflow_provider_retell.emulator`` serves it; :class:`Emulator` runs it inside a test; and
``pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]`` gives it as a fixture.

It follows Retell's documentation and what was observed of the real service. Where both are silent the
docstring of the option or endpoint says "our guess"; the most important such points are options.
"""

from __future__ import annotations

from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.faults import Fault, Faults, Rule
from airflow_provider_retell.emulator.lifecycle import Lifecycle
from airflow_provider_retell.emulator.options import Options
from airflow_provider_retell.emulator.organization import Organization
from airflow_provider_retell.emulator.quota import DEFAULT_QUOTAS
from airflow_provider_retell.emulator.recorder import RecordedRequest
from airflow_provider_retell.emulator.server import Emulator

__all__ = [
    "DEFAULT_QUOTAS",
    "Clock",
    "Emulator",
    "Fault",
    "Faults",
    "Lifecycle",
    "Options",
    "Organization",
    "RecordedRequest",
    "Rule",
]
