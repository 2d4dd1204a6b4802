"""The emulator's clock, which calls and batches follow instead of real time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that runs at a chosen speed, can be frozen, and can be moved forward by hand.

    Request quotas follow real time, because clients wait in real time, and what ``advance`` adds.

    :param speed: emulated seconds per real second.
    :param frozen: start with the time frozen; ``advance`` still moves it.
    :param start: the time at the start, in epoch seconds. Default: now.
    """

    def __init__(self, *, speed: float = 1.0, frozen: bool = False, start: float | None = None) -> None:
        if not speed > 0:
            raise ValueError("speed must be above 0; to stop the clock use frozen=True or freeze()")
        self.lock = threading.RLock()
        """Held while state changes. The whole emulator shares it, so that time and calls change together."""
        self._settings = {"speed": speed, "frozen": frozen, "start": start}
        self._speed = float(speed)
        self._frozen = frozen
        self._base = time.time() if start is None else float(start)
        self._since = time.monotonic()
        self._advanced = 0.0
        self._listeners: list[Callable[[], None]] = []

    @property
    def speed(self) -> float:
        """Emulated seconds per real second while the clock runs."""
        return self._speed

    @property
    def frozen(self) -> bool:
        """True while the time is frozen."""
        return self._frozen

    def now(self) -> float:
        """Return the emulated time in epoch seconds."""
        with self.lock:
            if self._frozen:
                return self._base
            return self._base + (time.monotonic() - self._since) * self._speed

    @property
    def advanced(self) -> float:
        """The seconds that ``advance`` has added."""
        return self._advanced

    def now_ms(self) -> int:
        """Return the emulated time in epoch milliseconds, the unit of Retell's timestamps."""
        return round(self.now() * 1000)

    def advance(self, seconds: float) -> float:
        """Move the clock forward and run everything that falls due; return the new time.

        :param seconds: emulated seconds, 0 or more.
        :raises ValueError: if *seconds* is negative or not finite.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("seconds must be 0 or more and finite: the clock only moves forward")
        with self.lock:
            self._base += seconds
            self._advanced += seconds
        for listener in tuple(self._listeners):
            listener()
        return self.now()

    def freeze(self) -> None:
        """Stop the time."""
        with self.lock:
            self._base, self._frozen = self.now(), True

    def resume(self) -> None:
        """Let the time run again from its current value."""
        with self.lock:
            self._base, self._since, self._frozen = self.now(), time.monotonic(), False

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call *listener* after each ``advance``."""
        self._listeners.append(listener)

    def fresh(self) -> Clock:
        """Return a new clock with the arguments that this one was made with."""
        return Clock(**self._settings)  # type: ignore[arg-type]
