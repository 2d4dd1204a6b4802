"""A storage of Airflow's ``ObjectStoragePath`` other than the local disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fsspec.implementations.memory import MemoryFileSystem

try:
    from airflow.sdk.io import attach
except ImportError:
    from airflow.io.store import attach


# Airflow keeps the first storage of a connection.
_PRIVATE = MemoryFileSystem(skip_instance_cache=True)
# All instances of the class share these by default.
_PRIVATE.store = {}
_PRIVATE.pseudo_dirs = [""]


@pytest.fixture
def memory() -> MemoryFileSystem:
    """An empty storage other than the local disk."""
    files = MemoryFileSystem()
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    attach(protocol="memory", fs=files)
    return files


@pytest.fixture
def private_memory(memory: MemoryFileSystem) -> Iterator[MemoryFileSystem]:
    """An empty storage that only the connection ``private_storage`` leads to.

    Without the connection, the same paths are on another storage, on which a test must leave nothing.
    """
    _PRIVATE.store.clear()
    _PRIVATE.pseudo_dirs[:] = [""]
    attach(protocol="memory", conn_id="private_storage", fs=_PRIVATE)
    yield _PRIVATE
    assert not memory.store
