"""The event triggers on Airflow 2."""

from __future__ import annotations

import importlib
from importlib.metadata import version

import pytest


@pytest.mark.skipif(not version("apache-airflow").startswith("2."), reason="Airflow 3 has event triggers")
@pytest.mark.parametrize("module", ["call_event", "chat_event"])
def test_import_fails_with_the_required_version(module: str) -> None:
    with pytest.raises(ImportError, match="Event triggers need Airflow 3: earlier versions have no asset"):
        importlib.import_module(f"airflow_provider_retell.triggers.{module}")
