"""Decide after one attempt: return the result, raise the error, or wait and send the request again.

The wait is the one that the server asks for (``Retry-After``, then ``RateLimit-Reset``), otherwise exponential backoff
with jitter. Attempts and total waiting time are limited; a wait that would exceed the limit raises the error at once.
"""

from __future__ import annotations

import email.utils
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from airflow_provider_retell.api.errors import (
    RateLimitError,
    RetellConnectionError,
    RetellError,
    RetellResponseError,
    ServerError,
)
from airflow_provider_retell.api.parsing import describe, is_truncated
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.status import FOREIGN_STEP, foreign_fault, status_error

T = TypeVar("T")

# Airflow's own limit for the delay of a retry. Nobody means a longer wait.
_MAX_WAIT_SECONDS = 86_400.0
_USUAL_TYPE = re.compile(
    r"text/(?:css|csv|event-stream|html|javascript|plain|xml)"
    r"|application/(?:javascript|json|octet-stream|pdf|problem\+json|xhtml\+xml|xml|zip)"
)


@dataclass(frozen=True)
class RetryLimits:
    """The limits for the retries of one request.

    ::

        from airflow_provider_retell.hooks import RetellHook, RetryLimits

        RetellHook(retry=RetryLimits(attempts=3, seconds=30))

    :ivar attempts: the maximum number of attempts. Default: 8.
    :ivar seconds: the maximum total time between attempts, in seconds, without the time that responses take. Default:
        120.
    :ivar timeout: seconds without data from the server before an attempt fails, if the connection's ``timeout`` is
        not shorter.
    :ivar connect_timeout: seconds to connect to the server, if the connection's ``connect_timeout`` is not shorter.
    :ivar quiet: True to log retries with the level DEBUG, for code that logs the failure itself. Default: False.
    """

    attempts: int = 8
    seconds: float = 120.0
    timeout: float = math.inf
    connect_timeout: float = math.inf
    quiet: bool = False


@dataclass(frozen=True)
class Wait:
    """Send the request again after ``seconds``.

    :ivar throttled: True if the server is rate limiting, so that all requests of this route should wait.
    :ivar lost: True if Retell may have processed this attempt, which changes something.
    """

    seconds: float
    reason: str
    throttled: bool = False
    lost: bool = False


def decide(
    request: Request[T],
    outcome: Response | RetellConnectionError,
    *,
    attempt: int,
    waited: float,
    now: float,
    limits: RetryLimits = RetryLimits(),
    jitter: Callable[[], float] = random.random,
) -> T | Wait:
    """Return the result of *request*, or a :class:`Wait`, or raise the error.

    Repeat a request that is not idempotent only if Retell certainly did not process it.

    :param attempt: the number of this attempt, from 1.
    :param waited: seconds that this request has waited so far.
    :param now: the time in epoch seconds, for headers that contain a date.
    :param jitter: returns a random number from 0 up to 1.
    """
    server_wait: float | None = None
    if isinstance(outcome, RetellConnectionError):
        error: RetellError = outcome
        again = request.idempotent or error.not_processed
    elif 200 <= outcome.status < 300 and outcome.fault:
        error = _unreadable(request, outcome)
        again = False
    elif 200 <= outcome.status < 300:
        try:
            return request.parse(outcome.body)
        except ValidationError as fault:
            error = _undocumented(request, outcome, fault)
            # A retry can succeed if JSON was cut off on its way, but not if another server sent HTML.
            again = request.idempotent and is_truncated(fault) and outcome.is_json
    else:
        server_wait = _server_wait(outcome, now)
        error = status_error(request, outcome, server_wait)
        # Retell's own SDK obeys this header.
        hint = outcome.headers.get("x-should-retry")
        # A firewall that blocks with 403 does not change its mind within seconds.
        again = hint == "true" or (hint != "false" and not error.permanent and outcome.status != 403)
        again = again and (request.idempotent or error.not_processed)
    if not again:
        raise error from None  # pydantic's own text quotes values
    # Half to full backoff: 0.25-0.5, 0.5-1, 1-2, 2-4, then 4-8 seconds.
    backoff = min(0.5 * 2 ** (attempt - 1), 8.0) * (1 - jitter() / 2)
    # Spread retries a little beyond the server's time, so that waiting tasks do not all send at once.
    seconds = backoff if server_wait is None else server_wait + jitter() * 0.1
    if attempt >= limits.attempts or waited + seconds > limits.seconds:
        raise _exhausted(error, attempt, waited) from None
    return Wait(
        seconds,
        reason=_brief(error),
        throttled=isinstance(error, RateLimitError),
        lost=not request.reads and not error.not_processed,
    )


def _server_wait(response: Response, now: float) -> float | None:
    """Return the seconds that the server asks to wait, a day at most, or None if it does not ask for a wait."""
    value = response.headers.get("Retry-After")
    seconds = _number(value)
    if seconds is None and value is not None:
        seconds = _until(value, now)
    # RateLimit-Reset says when the quota will be full again. That matters only if it is used up.
    if seconds is None and response.status == 429:
        seconds = _number(response.headers.get("RateLimit-Reset"))
        # Some servers send a timestamp instead of a duration.
        if seconds is not None and seconds > 1_000_000_000:
            seconds -= now
    return min(seconds, _MAX_WAIT_SECONDS) if seconds is not None and seconds > 0 else None


def _until(value: str, now: float) -> float | None:
    date = email.utils.parsedate_tz(value)
    try:
        return email.utils.mktime_tz(date) - now if date is not None else None
    except (ValueError, OverflowError):
        # The year does not exist.
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < math.inf else None


def _unreadable(request: Request[T], response: Response) -> RetellResponseError:
    summary = f"{request}: Retell answered {response.status}, but the body {response.fault}"
    return RetellResponseError(
        f"{summary}. Check the host in the Airflow connection and the proxy. If the request reads a list, read fewer "
        "objects per page",
        fault=summary,
    )


def _undocumented(request: Request[T], response: Response, fault: ValidationError) -> RetellResponseError:
    kind = _content_type(response)
    # No content at all may be Retell's.
    if is_truncated(fault) and not response.is_json and response.body.strip():
        summary, step = foreign_fault(request, response.status, kind), FOREIGN_STEP
    else:
        summary = f"{request}: Retell answered {response.status} ({kind}), but {describe(fault)}"
        step = "Check the host in the Airflow connection, and the proxy. If they are right, "
        if is_truncated(fault):
            step += "the response was incomplete: run the task again later"
        else:
            step += "Retell has changed its API: look for a newer version of this package"
    if not request.reads:
        unknown = "It is unknown whether Retell processed the request: check the result in Retell before you repeat "
        step = f"{step}. {unknown}the request by hand"
    return RetellResponseError(f"{summary}. {step}", fault=summary)


def _content_type(response: Response) -> str:
    value = response.headers.get("Content-Type")
    if value is None:
        return "no content type"
    kind = value.partition(";")[0].strip().lower()
    # Other types, and parameters, may quote the request.
    return kind if _USUAL_TYPE.fullmatch(kind) else "another content type"


def _exhausted(error: RetellError, attempt: int, waited: float) -> RetellError:
    if attempt > 1:
        tried = f"Gave up after {attempt} attempts and {waited:.0f} s of waiting"
        error.args = (f"{str(error.args[0]).removesuffix('.')}. {tried}", *error.args[1:])
    return error


def _brief(error: RetellError) -> str:
    if isinstance(error, (RateLimitError, ServerError)):
        return f"HTTP {error.status}"
    return getattr(error, "kind", type(error).__name__)
