"""Fixtures of the tests of parameters."""

from __future__ import annotations

from memory_storage import memory, private_memory

__all__ = ["memory", "private_memory"]
