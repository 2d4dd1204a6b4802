"""One request from its first attempt to its result, as steps without I/O."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from airflow_provider_retell.api.errors import RetellConnectionError
from airflow_provider_retell.api.quota import Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import Patience, Wait, decide

T = TypeVar("T")

log = logging.getLogger(__name__)

Steps = Generator["float | None", "Response | RetellConnectionError | None", T]
"""Yields seconds to sleep, or None to send the request now and hand in what comes of it; returns the result."""


def converse(
    request: Request[T], window: Window, patience: Patience, clock: Callable[[], float] = time.monotonic
) -> Steps[T]:
    """Wait for room in *window*, send, and do it again for as long as it makes sense.

    Time spent waiting for room is not counted against *patience*: it is the price of the quota, not of a fault.
    """
    attempt, waited = 0, 0.0
    while True:
        while (seconds := window.wait(clock())) > 0:
            yield seconds
        attempt += 1
        sent = clock()
        outcome: Response | RetellConnectionError | None = None
        try:
            outcome = yield None
        finally:
            if isinstance(outcome, Response):
                window.answered(clock(), outcome.headers, sent, refused=outcome.status == 429)
            else:
                window.answered(clock())
        assert outcome is not None  # noqa: S101 - the protocol of Steps
        verdict = decide(request, outcome, attempt=attempt, waited=waited, now=time.time(), patience=patience)
        if not isinstance(verdict, Wait):
            return verdict
        if verdict.throttled:
            window.pause(clock() + verdict.seconds)
        log.warning("%s: %s, attempt %d, next in %.1f s", request, verdict.reason, attempt, verdict.seconds)
        waited += verdict.seconds
        yield verdict.seconds
