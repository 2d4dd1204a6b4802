"""The state of a watcher in its asset's state store, which Airflow 3.3 and later have."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_retell.clock import clock
from airflow_provider_retell.triggers.record_events.ended_records import EndedRecord
from airflow_provider_retell.triggers.record_events.fired_log import step
from airflow_provider_retell.triggers.record_events.watch_state import WatchState

log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""Airflow stores an event about a second after it fires. The log waits this long before it stores that the event fired,
so that a kill in between repeats the event and does not lose it."""


class StateStoreLog:
    """Stores the state in an asset's state store.

    :param store: the state store.
    :param key: the key of the watcher's entry.
    :param warn: True to warn if Airflow cannot decide which state store to use, so that nothing is stored.
    """

    def __init__(self, store: Any, key: str, warn: bool = True) -> None:
        self._store = store
        self._key = key
        self._warn = warn
        self._usable = True
        self._settled = True

    async def load(self) -> WatchState | None:
        """Return the stored state, or None."""
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
        """Do nothing: the state is complete."""

    def add(self, state: WatchState, records: Sequence[EndedRecord]) -> dict[str, Any]:
        """Mark *records* as fired."""
        state.mark_fired(records)
        self._settled = False
        return {}

    async def save(self, state: WatchState) -> None:
        """Store the state, after Airflow had time to store the events."""
        if state.saved or not self._usable:
            return
        if not self._settled:
            await clock().sleep_async(SETTLE_SECONDS)
            self._settled = True
        with step("The asset's state store could not be written"):
            await self._store.aset(self._key, state.dump())
        state.saved = True
