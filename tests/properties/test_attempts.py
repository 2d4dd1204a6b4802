"""All attempts of a request: bounded, within the quota, and interruptible at any time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from sleeping_clock import SleepingClock

from airflow_provider_retell.api.attempts import attempt
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.errors import RetellConnectionError, RetellError, RetellTimeoutError
from airflow_provider_retell.api.quota import Rate, Window
from airflow_provider_retell.api.request import Response
from airflow_provider_retell.api.retry import RetryLimits

GET = endpoints.get_call("call_1")
PLACE = endpoints.create_phone_call("+14155550100", "+14155550123")
CALL = b'{"call_id": "call_1", "call_status": "ended"}'


@pytest.fixture
def clock(mocker: Any) -> SleepingClock:
    return mocker.patch("airflow_provider_retell.clock._clock", SleepingClock())


responses = st.builds(
    lambda status, wait, body: Response(
        status,
        CaseInsensitiveDict(
            {"Content-Type": "application/json"} | ({} if wait is None else {"Retry-After": str(wait)})
        ),
        body,
    ),
    st.sampled_from([200, 200, 400, 408, 409, 429, 429, 500, 503]),
    st.sampled_from([None, None, 1, 5, 500, "soon", "9" * 400]),
    st.sampled_from([CALL, CALL, b"{", b"[]", b""]),
)
failures = st.sampled_from(["dns", "refused", "connect", "timeout", "dropped", "tls"]).map(
    lambda kind: (RetellTimeoutError if kind == "timeout" else RetellConnectionError)("failed", kind=kind)
)
outcomes = st.lists(responses | failures, min_size=1, max_size=12)


@given(
    st.lists(st.tuples(st.sampled_from([GET, PLACE]), outcomes, st.none() | st.integers(0, 6)), max_size=5),
    st.builds(Rate, st.integers(1, 3), st.sampled_from([0.5, 10.0])),
    st.builds(RetryLimits, st.integers(1, 5), st.sampled_from([0.0, 3.0, 30.0])),
)
def test_attempts_are_bounded_and_free_their_slots(
    clock: SleepingClock, requests: Any, rate: Rate, limits: RetryLimits
) -> None:
    window = Window(rate)
    sent: list[float] = []
    for request, results, interrupted_after in requests:
        attempts = attempt(request, window, limits)
        outcome, steps, first = None, 0, len(sent)
        slept = 0.0
        try:
            while interrupted_after is None or steps < interrupted_after:
                steps += 1
                seconds = attempts.send(outcome)
                outcome = None
                if seconds is None:
                    sent.append(clock.time())
                    outcome = results[(len(sent) - first - 1) % len(results)]
                else:
                    assert 0 < seconds <= max(rate.seconds, limits.seconds)
                    slept += seconds
                    clock.sleep(seconds)
        except StopIteration as end:
            assert end.value.call_id == "call_1"
        except RetellError:
            pass
        finally:
            attempts.close()
        count = len(sent) - first
        assert count <= limits.attempts
        # Besides its own waits, each attempt waits for a slot, or for a pause of the route.
        assert slept <= limits.seconds + limits.attempts * (rate.seconds + limits.seconds) + 1e-6
    # No response takes time here, so the server counts a request when it is sent.
    for start in sent:
        assert sum(start <= at < start + rate.seconds - 1e-9 for at in sent) <= rate.requests
    later = clock.time() + 4000
    assert [window.reserve(later) for _ in range(rate.requests)] == [0.0] * rate.requests
