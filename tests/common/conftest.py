"""Fixtures of the tests of helpers."""

from __future__ import annotations

from memory_storage import memory, private_memory
from object_store import object_store

__all__ = ["memory", "object_store", "private_memory"]
