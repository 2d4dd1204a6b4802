"""Retell's REST API on localhost, for tests and demonstrations.

Run it from the command line with ``python -m airflow_provider_retell.emulator``, in a test with
:class:`Emulator`, or as a pytest fixture with
``pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]``.

It follows Retell's documentation and observations of the real service. Where both are silent, the docstring of
the option or endpoint says "our guess", and the most important of these guesses are options.
"""

# Contributors: the docstring of resources.py lists the places to touch to add a resource.

from __future__ import annotations

from airflow_provider_retell.emulator.calls.options import Lifecycle
from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.contacts.options import ContactOptions
from airflow_provider_retell.emulator.emulator import Emulator
from airflow_provider_retell.emulator.faults import Fault, Faults, Rule
from airflow_provider_retell.emulator.knowledge_bases.options import KnowledgeBaseOptions
from airflow_provider_retell.emulator.options import Options
from airflow_provider_retell.emulator.organization.organization import Organization
from airflow_provider_retell.emulator.rate_limits import DEFAULT_QUOTAS
from airflow_provider_retell.emulator.recorder import RecordedRequest
from airflow_provider_retell.emulator.simulations.simulator import Simulation
from airflow_provider_retell.emulator.task_run import FakeTaskInstance, fake_context, run_task
from airflow_provider_retell.emulator.webhooks import WebhookDelivery

__all__ = [
    "DEFAULT_QUOTAS",
    "Clock",
    "ContactOptions",
    "Emulator",
    "FakeTaskInstance",
    "Fault",
    "Faults",
    "KnowledgeBaseOptions",
    "Lifecycle",
    "Options",
    "Organization",
    "RecordedRequest",
    "Rule",
    "Simulation",
    "WebhookDelivery",
    "fake_context",
    "run_task",
]
