"""A storage of Airflow's ``ObjectStoragePath`` other than the local disk."""

from __future__ import annotations

import pytest
from fsspec.implementations.memory import MemoryFileSystem

try:
    from airflow.sdk.io import attach
except ImportError:
    from airflow.io.store import attach


@pytest.fixture
def memory() -> MemoryFileSystem:
    """An empty storage other than the local disk."""
    files = MemoryFileSystem()
    files.store.clear()
    attach(protocol="memory", fs=files)
    return files
