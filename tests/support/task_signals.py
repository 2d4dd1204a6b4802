"""Stop a task that runs on the main thread, as Airflow does."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

try:
    from airflow.sdk.exceptions import AirflowTaskTimeout
except ImportError:  # before 3.2
    from airflow.exceptions import AirflowTaskTimeout

__all__ = ["AirflowTaskTimeout", "calls_on_kill", "raises_timeout", "sigterm_after"]


@contextlib.contextmanager
def calls_on_kill(task: Any) -> Iterator[None]:
    """Let SIGTERM call ``on_kill`` on the main thread, which then continues, as on Airflow 3."""
    with _handler(signal.SIGTERM, lambda: task.on_kill()):
        yield


@contextlib.contextmanager
def sigterm_after(seconds: float) -> Iterator[None]:
    """Send SIGTERM to this process after *seconds*."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        yield
    finally:
        timer.join()


@contextlib.contextmanager
def raises_timeout() -> Iterator[Callable[[float], None]]:
    """Give a function that lets ``AirflowTaskTimeout`` raise on the main thread after some seconds.

    This is how Airflow's ``execution_timeout`` works.
    """

    def raise_timeout() -> None:
        raise AirflowTaskTimeout("Timeout")

    with _handler(signal.SIGALRM, raise_timeout):
        try:
            yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def _handler(number: int, function: Callable[[], object]) -> Iterator[None]:
    previous = signal.signal(number, lambda *_: function())
    try:
        yield
    finally:
        signal.signal(number, previous)
