"""The calls or chats that a watcher has fired for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.reason import safe_reason
from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord
from airflow_provider_retell.triggers.record_events.watch_state import WatchState

log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""Airflow stores an event about a second after it fires. The log waits this long before it stores that the event fired,
so that a kill in between repeats the event and does not lose it."""


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


class FiredLog:
    """A log of the calls or chats that a watcher has fired for, in the state store of its asset.

    All methods raise :class:`WatchError` if the log cannot be read or written.

    :param store: the state store; None before Airflow 3.3, where the state is kept in memory only.
    :param key: the key of the watcher's entry.
    :param warn: True to warn if Airflow cannot decide which state store to use, so that nothing is stored.
    """

    def __init__(self, store: Any, key: str, warn: bool = True) -> None:
        self._store = store
        self._key = key
        self._warn = warn
        self._usable = store is not None
        self._settled = True

    async def load(self) -> WatchState | None:
        """Return the state at the end of the last run, or None at the first start."""
        if not self._usable:
            return None
        with step("The asset's state store could not be read"):
            try:
                stored = await self._store.aget(self._key)
            except ValueError:
                self._usable = False
                if self._warn:
                    log.warning(
                        "Several assets have equal watchers, and Airflow cannot decide which asset's state store to "
                        "use. The watcher's state is kept in memory only. Give each watcher its own poll_interval"
                    )
                return None
        return WatchState.restore(stored) if isinstance(stored, Mapping) else None

    async def sync(self, state: WatchState) -> None:
        """Mark the records in *state* that have fired according to this log: here none, the state is complete."""

    def add(self, state: WatchState, records: Sequence[EndedRecord]) -> dict[str, Any]:
        """Mark *records* as fired, and return additional entries for the payload of their event."""
        state.mark_fired(records)
        self._settled = False
        return {}

    async def save(self, state: WatchState) -> None:
        """Store *state* unless it is stored already, after Airflow had time to store the events."""
        if state.saved or not self._usable:
            return
        if not self._settled:
            await clock().sleep_async(SETTLE_SECONDS)
            self._settled = True
        with step("The asset's state store could not be written"):
            await self._store.aset(self._key, state.dump())
        state.saved = True
