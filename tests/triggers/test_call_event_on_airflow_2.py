"""CallEventTrigger on Airflow 2."""

from __future__ import annotations

import importlib
from importlib.metadata import version

import pytest


@pytest.mark.skipif(not version("apache-airflow").startswith("2."), reason="Airflow 3 has event triggers")
def test_import_fails_with_the_required_version() -> None:
    with pytest.raises(ImportError, match="CallEventTrigger needs Airflow 3: earlier versions have no asset"):
        importlib.import_module("airflow_provider_retell.triggers.call_event")
