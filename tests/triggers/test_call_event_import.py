"""What Airflow 2 says to CallEventTrigger."""

from __future__ import annotations

import importlib
from importlib.metadata import version

import pytest


@pytest.mark.skipif(not version("apache-airflow").startswith("2."), reason="Airflow 3 has event triggers")
def test_airflow_2_says_what_it_lacks() -> None:
    with pytest.raises(
        ImportError, match="CallEventTrigger needs Airflow 3: there are no asset watchers before"
    ):
        importlib.import_module("airflow_provider_retell.triggers.call_event")
