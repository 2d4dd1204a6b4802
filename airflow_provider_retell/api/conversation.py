"""One request from its first attempt to its result, as steps without I/O."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from airflow_provider_retell.api.errors import RateLimitError, RetellConnectionError
from airflow_provider_retell.api.quota import Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import Patience, Wait, decide
from airflow_provider_retell.api.status import paused_error

T = TypeVar("T")

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 3600.0
"""Seconds after which a paused route is tried again, however much longer the server asked to wait."""

Steps = Generator["float | None", "Response | RetellConnectionError | None", T]
"""Yields seconds to sleep, or None to send the request now and hand in what comes of it; returns the result."""


def converse(
    request: Request[T], window: Window, patience: Patience, clock: Callable[[], float] = time.monotonic
) -> Steps[T]:
    """Wait for room in *window*, send, and do it again for as long as it makes sense.

    Time spent waiting for room is not counted against *patience*: it is the price of the quota, not of a fault. A
    pause of the route that is longer than *patience* ends in :class:`RateLimitError` at once, without a request.
    """
    attempt, waited = 0, 0.0
    while True:
        seconds = 1.0
        while seconds > 0:
            if (pause := window.paused(clock())) > patience.seconds:
                raise paused_error(request, pause)
            if (seconds := window.wait(clock())) > 0:
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
        try:
            verdict = decide(
                request, outcome, attempt=attempt, waited=waited, now=time.time(), patience=patience
            )
        except RateLimitError as error:
            window.pause(clock() + min(error.retry_after or 0.0, _LONGEST_PAUSE))
            raise
        if not isinstance(verdict, Wait):
            return verdict
        if verdict.throttled:
            window.pause(clock() + verdict.seconds)
        log.warning("%s: %s, attempt %d, next in %.1f s", request, verdict.reason, attempt, verdict.seconds)
        waited += verdict.seconds
        yield verdict.seconds
