"""What to do with the outcome of one attempt: return the result, raise, or wait and send it again.

The server's word comes first (``Retry-After``, then ``RateLimit-Reset``), else a jittered exponential backoff.
Waiting is bounded in attempts and in total time; a wait that would go beyond ends in the error at once.
"""

from __future__ import annotations

import email.utils
import math
import random
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
from airflow_provider_retell.api.reading import describe, is_broken
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.status import status_error

__all__ = ["Patience"]

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to keep trying.

    :ivar attempts: how often one request is sent at most.
    :ivar seconds: how long one request waits in all, not counting the time that the answers take.
    :ivar timeout: seconds without a byte from the server before a try fails; the connection's ``timeout`` if that is
        shorter.
    :ivar connect_timeout: seconds to reach the server; the connection's ``connect_timeout`` if that is shorter.
    """

    attempts: int = 8
    seconds: float = 120.0
    timeout: float = math.inf
    connect_timeout: float = math.inf


@dataclass(frozen=True)
class Wait:
    """Send the request again after ``seconds``.

    :ivar throttled: True if the server is throttling, so that every request of this route should wait.
    """

    seconds: float
    reason: str
    throttled: bool = False


def decide(
    request: Request[T],
    outcome: Response | RetellConnectionError,
    *,
    attempt: int,
    waited: float,
    now: float,
    patience: Patience = Patience(),
    jitter: Callable[[], float] = random.random,
) -> T | Wait:
    """Return the result of *request*, or a :class:`Wait`; raise what went wrong otherwise.

    :param outcome: the answer, or the error that came in its place.
    :param attempt: 1 for the first.
    :param waited: seconds that this request has waited so far.
    :param now: the time as epoch seconds, for headers that hold a date.
    :param jitter: gives a number from 0 up to 1.
    """
    server_wait: float | None = None
    if isinstance(outcome, RetellConnectionError):
        error: RetellError = outcome
        again = request.repeatable
    elif 200 <= outcome.status < 300:
        try:
            return request.parse(outcome.body)
        except ValidationError as fault:
            error = _not_as_documented(request, outcome, fault)
            # JSON that breaks off was cut on its way, so another try is worth it; a page of HTML is another server.
            again = request.repeatable and is_broken(fault) and outcome.is_json
    else:
        server_wait = _server_wait(outcome, now)
        error = status_error(request, outcome, server_wait)
        again = request.repeatable and not error.permanent
        # The hint that Retell's own SDK obeys.
        hint = outcome.headers.get("x-should-retry")
        again = (again and hint != "false") or (request.repeatable and hint == "true")
    if not again:
        raise error from None  # pydantic's own text quotes values
    # Half to full backoff: 0.25-0.5, 0.5-1, 1-2, 2-4, then 4-8 seconds.
    backoff = min(0.5 * 2 ** (attempt - 1), 8.0) * (1 - jitter() / 2)
    # Spread a little beyond the server's word, so that waiting tasks do not all come back at one moment.
    seconds = backoff if server_wait is None else server_wait + jitter() * 0.1
    if attempt >= patience.attempts or waited + seconds > patience.seconds:
        raise _exhausted(error, attempt, waited) from None
    return Wait(seconds, reason=_brief(error), throttled=isinstance(error, RateLimitError))


def _server_wait(response: Response, now: float) -> float | None:
    """Return the seconds that the server asks to wait; none if it asks for no more than a moment that is over."""
    value = response.headers.get("Retry-After")
    seconds = _number(value)
    if seconds is None and value is not None:
        seconds = _until(value, now)
    # With any other status RateLimit-Reset only tells when the quota, which is not used up, is whole again.
    if seconds is None and response.status == 429:
        seconds = _number(response.headers.get("RateLimit-Reset"))
        # Some servers send the moment instead of the distance.
        if seconds is not None and seconds > 1_000_000_000:
            seconds -= now
    return seconds if seconds is not None and seconds > 0 else None


def _until(value: str, now: float) -> float | None:
    date = email.utils.parsedate_tz(value)
    try:
        return email.utils.mktime_tz(date) - now if date is not None else None
    except (ValueError, OverflowError):  # a year that no calendar has
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _not_as_documented(
    request: Request[T], response: Response, fault: ValidationError
) -> RetellResponseError:
    kind = response.headers.get("Content-Type", "no content type")
    return RetellResponseError(
        f"{request}: Retell answered {response.status} ({kind}), but {describe(fault)}. "
        "Whether it acted is unknown: read the call before repeating by hand"
    )


def _exhausted(error: RetellError, attempt: int, waited: float) -> RetellError:
    tried = f" Tried {attempt} times, waited {waited:.0f} s in all." if attempt > 1 else ""
    error.args = (f"{error.args[0]}{tried}", *error.args[1:])
    return error


def _brief(error: RetellError) -> str:
    if isinstance(error, (RateLimitError, ServerError)):
        return f"HTTP {error.status}"
    return getattr(error, "kind", type(error).__name__)
