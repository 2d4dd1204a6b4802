"""Headers that ask to wait, and the decision after an attempt."""

from __future__ import annotations

import email.utils
import math
from typing import Any

import strategies
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits, Wait, decide

NOW = 1_800_000_000.0
GET = endpoints.get_call("call_1")
PLACE = endpoints.create_phone_call("+14155550100", "+14155550123")

# HTTP libraries decode headers as Latin-1.
latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
numbers = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.integers(1, 9000).map(lambda digits: "9" * digits),
)
dates = st.builds(
    lambda day, number, month, year, time, zone: f"{day}{number} {month} {year} {time} {zone}",
    st.sampled_from(["", "Mon, ", "Fri, "]),
    st.integers(-1, 40),
    st.sampled_from(["Jan", "Feb", "Dec", "Foo"]),
    st.integers(-1, 100_000) | st.integers(2020, 2040),
    st.sampled_from(["00:00:00", "23:59:60", "99:99:99", "1:2", "1.2.3", ":", ""]),
    st.sampled_from(["GMT", "+0000", "-9999", "+99999999", "EST", ""]),
)
headers = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "RateLimit-Reset", "RateLimit-Remaining", "x-should-retry", "Content-Type"]
    ),
    latin | numbers | dates | st.sampled_from(["true", "false", "application/json"]),
)
bodies = st.one_of(
    st.binary(max_size=30),
    strategies.server_values.map(lambda value: repr(value).encode("utf-8", "replace")),
    st.sampled_from([b'{"call_id": "call_1", "call_status": "ended"}', b'{"message": "no"}', b"[" * 3000]),
)
responses = st.builds(Response, st.integers(100, 999), headers.map(CaseInsensitiveDict), bodies)
failures = st.builds(
    lambda kind: errors.RetellConnectionError("failed", kind=kind),
    st.sampled_from(["dns", "refused", "connect", "tls", "timeout", "dropped"]),
)


@given(
    st.sampled_from([GET, PLACE]),
    responses | failures,
    st.integers(1, 10),
    st.floats(0, 200),
    st.integers(1, 10),
    st.floats(0, 200),
    st.floats(0, 1, exclude_max=True),
)
def test_decision_is_a_result_a_bounded_wait_or_an_error_of_this_package(
    request_: Request[Any],
    outcome: Any,
    attempt: int,
    waited: float,
    attempts: int,
    seconds: float,
    jitter: float,
) -> None:
    limits = RetryLimits(attempts=attempts, seconds=seconds)
    try:
        verdict = decide(
            request_, outcome, attempt=attempt, waited=waited, now=NOW, limits=limits, jitter=lambda: jitter
        )
    except errors.RetellError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 2000
        return
    if isinstance(verdict, Wait):
        assert 0 < verdict.seconds <= seconds - waited
        assert math.isfinite(verdict.seconds)
        assert attempt < attempts
    else:
        assert verdict.call_id == "call_1"
        assert 200 <= outcome.status < 300


@given(responses | failures)
def test_request_that_may_have_been_processed_is_never_repeated(outcome: Any) -> None:
    maybe_processed = (
        outcome.kind in ("tls", "timeout", "dropped")
        if isinstance(outcome, errors.RetellConnectionError)
        else 200 <= outcome.status < 300 or outcome.status >= 500 or outcome.status == 408
    )
    try:
        verdict = decide(PLACE, outcome, attempt=1, waited=0.0, now=NOW)
    except errors.RetellError as error:
        assert not (maybe_processed and error.not_processed)
        return
    if isinstance(verdict, Wait):
        assert not maybe_processed


def wait_for(**named: str) -> float | None:
    """Return the wait after a 429 with these headers, or None if the server's wait is too long."""
    response = Response(429, CaseInsensitiveDict({k.replace("_", "-"): v for k, v in named.items()}), b"")
    try:
        verdict = decide(GET, response, attempt=1, waited=0.0, now=NOW, jitter=lambda: 0.0)
    except errors.RateLimitError:
        return None
    assert isinstance(verdict, Wait)
    return verdict.seconds


@given(st.floats(0.001, 120))
def test_seconds_of_retry_after_are_waited(seconds: float) -> None:
    assert wait_for(Retry_After=repr(seconds)) == seconds


@given(st.integers(1, 120))
def test_date_of_retry_after_is_waited_for(seconds: int) -> None:
    assert wait_for(Retry_After=email.utils.formatdate(NOW + seconds, usegmt=True)) == seconds
    assert wait_for(Retry_After=email.utils.formatdate(NOW + seconds, localtime=True)) == seconds


@given(st.integers(1, 120))
def test_reset_of_the_quota_is_waited_for_as_a_duration_and_as_a_timestamp(seconds: int) -> None:
    assert wait_for(RateLimit_Reset=str(seconds)) == seconds
    assert wait_for(RateLimit_Reset=str(int(NOW) + seconds)) == seconds


@given(latin | numbers | dates, latin | numbers | dates)
@example("9" * 5000, "9" * 5000)
def test_malformed_headers_never_shorten_the_wait_to_nothing(after: str, reset: str) -> None:
    seconds = wait_for(Retry_After=after, RateLimit_Reset=reset)
    assert seconds is None or seconds > 0
