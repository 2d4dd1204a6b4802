"""The log of a wait."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls.waits import CallReached
from airflow_provider_retell.api.waits import Poll
from airflow_provider_retell.clock import FastClock, clock, no_waiting
from airflow_provider_retell.waiting.progress import HEARTBEAT_SECONDS, Progress, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

ONGOING = Poll(False, "ongoing")


@pytest.fixture(autouse=True)
def fast(caplog: pytest.LogCaptureFixture) -> Iterator[FastClock]:
    caplog.set_level(logging.INFO)
    with no_waiting() as fast:
        yield fast


def progress(**arguments: Any) -> Progress:
    deadline = clock().time() + 7200
    return Progress(CallReached("call_1"), **{"deadline": deadline, "poll_interval": 30, **arguments})


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_start_has_the_deadline_and_the_interval(caplog: pytest.LogCaptureFixture) -> None:
    progress().start()
    assert lines(caplog) == ["Waiting for call call_1 to be ended, for up to 2 h; polling every 30 s"]


def test_each_state_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    wait = progress()
    for state in ("registered", "registered", "ongoing", "ongoing"):
        wait.polled(Poll(False, state))
    assert lines(caplog) == [
        "Waiting for call call_1 to be ended: registered",
        "Waiting for call call_1 to be ended: ongoing",
    ]
    assert wait.state == "ongoing"


def test_unchanged_state_is_logged_once_in_ten_minutes(
    caplog: pytest.LogCaptureFixture, fast: FastClock
) -> None:
    wait = progress()
    for _ in range(60):
        wait.polled(ONGOING)
        fast.sleep(30)
    assert HEARTBEAT_SECONDS == 600
    assert lines(caplog) == [
        "Waiting for call call_1 to be ended: ongoing",
        "Still waiting for call call_1 to be ended: ongoing; 1 h 50 min left",
        "Still waiting for call call_1 to be ended: ongoing; 1 h 40 min left",
    ]


def test_end_has_the_state_the_reason_and_the_durations(
    caplog: pytest.LogCaptureFixture, fast: FastClock
) -> None:
    wait = progress()
    fast.sleep(300)
    wait.polled(Poll(True, "ended", {"disconnection_reason": "user_hangup", "duration_ms": 95_000}))
    [line] = lines(caplog)
    assert line == (
        "Finished waiting for call call_1 to be ended after 5 min: ended, disconnection reason user_hangup, "
        "duration 1 min 35 s"
    )


def test_time_out_has_the_time_and_the_last_state(fast: FastClock) -> None:
    wait = progress(started=clock().time() - 3600)
    assert wait.timeout_message() == (
        "Timed out after 1 h of waiting for call call_1 to be ended. Last state: unknown"
    )
    wait.polled(ONGOING)
    fast.sleep(600)
    assert wait.timeout_message() == (
        "Timed out after 1 h 10 min of waiting for call call_1 to be ended. Last state: ongoing"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.25, "0.25 s"), (59, "59 s"), (60, "1 min"), (95, "1 min 35 s"), (7500, "2 h 5 min")],
)
def test_duration_is_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text
