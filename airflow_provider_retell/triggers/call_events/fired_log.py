"""Records of the calls that a watcher has fired for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.hooks.reason import safe_reason
from airflow_provider_retell.triggers.call_events.ended_calls import EndedCall
from airflow_provider_retell.triggers.call_events.watch_state import WatchState


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
    """A record of the calls that a watcher has fired for.

    All methods raise :class:`WatchError` if the record cannot be read or written.
    """

    async def load(self) -> WatchState | None:
        """Return the state at the end of the last run, or None at the first start."""

    async def sync(self, state: WatchState) -> None:
        """Mark the calls in *state* that have fired according to this record."""

    def record(self, state: WatchState, calls: Sequence[EndedCall]) -> dict[str, Any]:
        """Mark *calls* as fired, and return additional entries for the payload of their event."""

    async def save(self, state: WatchState) -> None:
        """Store *state* unless it is stored already."""


class MemoryLog:
    """Keeps the state in memory only."""

    async def load(self) -> WatchState | None:
        """Return None: nothing survives the last run."""
        return None

    async def sync(self, state: WatchState) -> None:
        """Do nothing: the state is complete."""

    def record(self, state: WatchState, calls: Sequence[EndedCall]) -> dict[str, Any]:
        """Mark *calls* as fired."""
        state.mark_fired(calls)
        return {}

    async def save(self, state: WatchState) -> None:
        """Do nothing."""
