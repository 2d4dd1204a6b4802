"""Logs of the calls or chats that a watcher has fired for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.hooks.reason import safe_reason
from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord
from airflow_provider_retell.triggers.record_events.watch_state import WatchState


class WatchError(RetellError):
    """A step of a watcher failed. The watcher tries again at its next poll."""


@contextmanager
def step(failure: str) -> Iterator[None]:
    """Raise any error as a :class:`WatchError`.

    :param failure: the start of the message.
    """
    try:
        yield
    except Exception as error:
        raise WatchError(f"{failure}: {safe_reason(error)}") from error


class FiredLog(Protocol):
    """A log of the calls or chats that a watcher has fired for.

    All methods raise :class:`WatchError` if the log cannot be read or written.
    """

    async def load(self) -> WatchState | None:
        """Return the state at the end of the last run, or None at the first start."""

    async def sync(self, state: WatchState) -> None:
        """Mark the records in *state* that have fired according to this log."""

    def add(self, state: WatchState, records: Sequence[EndedRecord]) -> dict[str, Any]:
        """Mark *records* as fired, and return additional entries for the payload of their event."""

    async def save(self, state: WatchState) -> None:
        """Store *state* unless it is stored already."""


class MemoryLog:
    """Keeps the state in memory only."""

    async def load(self) -> WatchState | None:
        """Return None: nothing survives the last run."""
        return None

    async def sync(self, state: WatchState) -> None:
        """Do nothing: the state is complete."""

    def add(self, state: WatchState, records: Sequence[EndedRecord]) -> dict[str, Any]:
        """Mark *records* as fired."""
        state.mark_fired(records)
        return {}

    async def save(self, state: WatchState) -> None:
        """Do nothing."""
