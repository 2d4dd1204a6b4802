"""Fixtures of the tests of helpers."""

from __future__ import annotations

from memory_storage import memory

__all__ = ["memory"]
