"""The emulator's clock: calls progress on it, not on the machine's."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Epoch seconds that run at ``speed`` times real time, can be frozen, and can be moved by hand.

    ``speed``: emulated seconds per real second (default 1).
    ``frozen``: start with time standing still (default False); ``advance`` still moves it.
    ``start``: epoch seconds to begin at (default: now).

    Quotas do not use this clock: they are always real time, as a client's waits are.
    """

    def __init__(self, *, speed: float = 1.0, frozen: bool = False, start: float | None = None) -> None:
        if not speed > 0:
            raise ValueError("speed must be above 0; to stop the clock use frozen=True or freeze()")
        self.lock = threading.RLock()
        """Held while state changes; the whole emulator shares it, so that time and calls change together."""
        self._speed = float(speed)
        self._frozen = frozen
        self._base = time.time() if start is None else float(start)
        self._since = time.monotonic()
        self._listeners: list[Callable[[], None]] = []

    @property
    def speed(self) -> float:
        """Emulated seconds per real second while the clock runs."""
        return self._speed

    @property
    def frozen(self) -> bool:
        """True while time stands still."""
        return self._frozen

    def now(self) -> float:
        """Return the emulated time in epoch seconds."""
        with self.lock:
            if self._frozen:
                return self._base
            return self._base + (time.monotonic() - self._since) * self._speed

    def now_ms(self) -> int:
        """Return the emulated time in epoch milliseconds, the unit of Retell's timestamps."""
        return round(self.now() * 1000)

    def advance(self, seconds: float) -> float:
        """Move the clock forward by ``seconds``; whatever falls due on the way has happened on return."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("the clock only moves forward, by a finite number of seconds")
        with self.lock:
            self._base += seconds
        for listener in tuple(self._listeners):
            listener()
        return self.now()

    def freeze(self) -> None:
        """Let time stand still."""
        with self.lock:
            self._base, self._frozen = self.now(), True

    def resume(self) -> None:
        """Let time run again from where it stands."""
        with self.lock:
            self._base, self._since, self._frozen = self.now(), time.monotonic(), False

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each ``advance``."""
        self._listeners.append(listener)
