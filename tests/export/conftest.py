"""Fixtures of the tests of exports."""

from __future__ import annotations

from connected import connect, emulator
from memory_storage import memory, private_memory

__all__ = ["connect", "emulator", "memory", "private_memory"]
