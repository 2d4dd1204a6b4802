"""The attempts of one request: quota, retries and pauses, without I/O."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import TypeVar, cast

from airflow_provider_retell.api.errors import RateLimitError, RetellConnectionError, RetellError
from airflow_provider_retell.api.quota import Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits, Wait, decide
from airflow_provider_retell.api.status import paused_error
from airflow_provider_retell.clock import clock

T = TypeVar("T")

log = logging.getLogger(__name__)

# A paused route is tried again after an hour, even if the server asked to wait longer.
_MAX_PAUSE_SECONDS = 3600.0

Attempts = Generator["float | None", "Response | RetellConnectionError | None", T]
"""Yields seconds to sleep, or None to send the request now. It receives the response or the error, and returns the
request's result."""


def attempt(request: Request[T], window: Window, limits: RetryLimits) -> Attempts[T]:
    """Wait for a free slot in *window*, send *request*, and repeat this as long as a retry makes sense.

    Time spent waiting for a slot does not count against *limits*: it is the cost of the quota, not of a fault. If the
    route is paused for longer than *limits* allow, raise :class:`RateLimitError` at once without a request.

    The result of an observed request is its response, in place of the parsed result or the error.
    """
    number, waited, lost = 0, 0.0, False
    while True:
        seconds = 1.0
        while seconds > 0:
            if (pause := window.pause_left(clock().monotonic())) > limits.seconds:
                paused = paused_error(request, pause)
                paused.attempt_lost = lost
                raise paused
            if (seconds := window.reserve(clock().monotonic())) > 0:
                yield seconds
        number += 1
        sent = clock().monotonic()
        outcome: Response | RetellConnectionError | None = None
        try:
            outcome = yield None
        finally:
            if isinstance(outcome, Response):
                window.release(clock().monotonic(), outcome.headers, sent, refused=outcome.status == 429)
            else:
                window.release(clock().monotonic())
        assert outcome is not None  # noqa: S101 - the protocol of Attempts
        try:
            verdict = decide(
                request, outcome, attempt=number, waited=waited, now=clock().time(), limits=limits
            )
        except RetellError as error:
            error.attempt_lost = lost
            if isinstance(error, RateLimitError):
                window.pause(clock().monotonic() + min(error.retry_after or 0.0, _MAX_PAUSE_SECONDS))
            if request.observed and isinstance(outcome, Response):
                return cast("T", outcome)
            raise
        if not isinstance(verdict, Wait):
            return cast("T", outcome) if request.observed else verdict
        if verdict.throttled:
            window.pause(clock().monotonic() + verdict.seconds)
        log.log(
            logging.DEBUG if limits.quiet else logging.WARNING,
            "%s: %s in attempt %d, next attempt in %.1f s",
            request,
            verdict.reason,
            number,
            verdict.seconds,
        )
        waited += verdict.seconds
        lost = lost or verdict.lost
        yield verdict.seconds
