"""The failed polls that a wait tolerates."""

from __future__ import annotations

import functools
import logging
from typing import Any

import pytest
from airflow.exceptions import AirflowNotFoundException

from airflow_provider_retell.api.errors import (
    AuthenticationError,
    RateLimitError,
    RetellConnectionError,
    RetellError,
    WaitFailedError,
)
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.waiting.poll_failures import PollFailures as _PollFailures

PollFailures = functools.partial(_PollFailures, retell_conn_id="retell_eu")

DROPPED = RetellConnectionError("the connection was dropped")
RATE_LIMITED = RateLimitError("Retell responded with 429", status=429)
REJECTED = AuthenticationError("Retell responded with 401", status=401)


def test_failures_up_to_the_limit_are_logged_at_intervals(caplog: pytest.LogCaptureFixture) -> None:
    failures = PollFailures(100)
    with no_waiting():
        for _ in range(41):
            failures.check(DROPPED, "the end")
            clock().sleep(31)
        assert failures.count == 41
        failures.reset()
        failures.check(DROPPED, "the end")
    assert caplog.messages == [
        f"Connection 'retell_eu': poll failed, {number} in a row: the connection was dropped"
        for number in (1, 21, 41, 1)
    ]


def test_one_failure_more_raises_an_error_that_airflow_retries() -> None:
    failures = PollFailures(1, count=1)
    with pytest.raises(RetellError) as error:
        failures.check(DROPPED, "the end")
    assert str(error.value) == (
        "Stopped waiting for the end (2 polls in a row failed): the connection was dropped"
    )
    assert not error.value.permanent


def test_first_failure_ends_the_wait_if_the_limit_is_0() -> None:
    with pytest.raises(RetellError, match="^Stopped waiting for the end: the connection was dropped$"):
        PollFailures(0).check(DROPPED, "the end")


def test_rate_limiting_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    failures = PollFailures(0)
    for _ in range(20):
        failures.check(RATE_LIMITED, "the end")
    assert failures.count == 0
    assert caplog.messages == ["Connection 'retell_eu': poll was throttled: Retell responded with 429"]


def test_permanent_error_ends_the_wait_at_once() -> None:
    with pytest.raises(WaitFailedError, match="^Stopped waiting for the end: Retell responded with 401$"):
        PollFailures(10).check(REJECTED, "the end")


def test_error_of_another_library_ends_a_wait_that_has_just_begun() -> None:
    with pytest.raises(KeyError):
        PollFailures(10).check(KeyError("the connection"), "the end")


@pytest.mark.parametrize("first", [None, DROPPED])
def test_error_of_another_library_is_tolerated_later(first: Any, caplog: pytest.LogCaptureFixture) -> None:
    failures = PollFailures(10, polled_before=first is None)
    if first is not None:
        failures.check(first, "the end")
    failures.check(KeyError("private"), "the end")
    failures.check(AirflowNotFoundException("The conn_id `retell` isn't defined"), "the end")
    assert caplog.messages[-2].endswith("in a row: KeyError")
    assert caplog.messages[-1].endswith("in a row: The conn_id `retell` isn't defined")


def test_lines_go_to_the_given_logger(caplog: pytest.LogCaptureFixture) -> None:
    PollFailures(1, log=logging.getLogger("a_task")).check(DROPPED, "the end")
    assert [record.name for record in caplog.records] == ["a_task"]
