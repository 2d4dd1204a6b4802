"""Fixtures for tests of DAGs: ``pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_provider_retell.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["retell_connection", "retell_emulator"]


@pytest.fixture
def retell_emulator() -> Iterator[Emulator]:
    """Run a fresh emulator for one test, with the documented quotas and no calls."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def retell_connection(retell_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Define the Airflow connection ``retell_default`` that leads to ``retell_emulator``; return its id."""
    connection = {
        "conn_type": "retell",
        "host": retell_emulator.url,
        "password": retell_emulator.api_key,
    }
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
    return "retell_default"
