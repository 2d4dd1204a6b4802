"""The log of a wait."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_retell.api.calls.waits import CallReached
from airflow_provider_retell.api.errors import RateLimitError
from airflow_provider_retell.api.waits import Poll
from airflow_provider_retell.clock import clock, no_waiting
from airflow_provider_retell.waiting.wait_log import HEARTBEAT_SECONDS, Progress


@pytest.fixture(autouse=True)
def fast(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    with no_waiting():
        yield


def progress(**arguments: Any) -> Progress:
    return Progress(
        CallReached("call_1"), **{"deadline": clock().time() + 7200, "poll_interval": 30, **arguments}
    )


def test_the_start_has_the_condition_the_deadline_and_the_interval(caplog: pytest.LogCaptureFixture) -> None:
    progress().start()
    assert caplog.messages == [
        "Waiting for call call_1 to end, for up to 2 h; polling every 30 s",
    ]


def test_a_new_state_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    wait = progress()
    for state in ("registered", "registered", "ongoing", "ongoing"):
        wait.polled(Poll(False, state))
    assert caplog.messages == [
        "Waiting for call call_1 to end: registered",
        "Waiting for call call_1 to end: ongoing",
    ]
    assert wait.state == "ongoing"


def test_an_unchanged_state_is_logged_at_intervals(caplog: pytest.LogCaptureFixture) -> None:
    wait = progress()
    for _ in range(45):
        wait.polled(Poll(False, "ongoing"))
        clock().sleep(30)
    assert HEARTBEAT_SECONDS == 600
    assert caplog.messages == [
        "Waiting for call call_1 to end: ongoing",
        "Still waiting for call call_1 to end: ongoing; 1 h 50 min left",
        "Still waiting for call call_1 to end: ongoing; 1 h 40 min left",
    ]


def test_the_end_has_the_reason_and_the_durations(caplog: pytest.LogCaptureFixture) -> None:
    wait = progress()
    clock().sleep(90)
    wait.polled(Poll(True, "ended", {"disconnection_reason": "user_hangup", "duration_ms": 63_000}))
    [line] = caplog.messages
    assert line == (
        "Finished waiting for call call_1 to end after 1 min 30 s: "
        "ended, disconnection reason user_hangup, duration 1 min 3 s"
    )


def test_the_timeout_message_has_the_time_and_the_last_state() -> None:
    wait = progress(started=clock().time() - 60)
    assert wait.timeout_message() == (
        "Timed out after 1 min of waiting for call call_1 to end. Last state: unknown"
    )
    wait.polled(Poll(False, "ongoing"))
    assert wait.timeout_message().endswith("Last state: ongoing")


def test_the_timeout_message_has_the_error_of_the_last_poll() -> None:
    wait = progress()
    wait.failed(RateLimitError("Retell responded with 429", status=429))
    wait.failed(ValueError("a private value"))
    assert wait.timeout_message().endswith("Last state: unknown. All polls failed: ValueError")
    wait.polled(Poll(False, "ongoing"))
    assert wait.timeout_message().endswith("Last state: ongoing")
    wait.failed(RateLimitError("Retell responded with 429", status=429))
    assert wait.timeout_message().endswith(
        "Last state: ongoing. The last poll failed: Retell responded with 429"
    )


def test_a_hint_is_logged_once_after_some_polls_and_ends_the_timeout_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wait = progress()
    for _ in range(6):
        wait.polled(Poll(False, "0 of 2 calls ended", hint="Check the id"))
        clock().sleep(29)
    hint = "Waiting for call call_1 to end: Check the id"
    assert caplog.messages == ["Waiting for call call_1 to end: 0 of 2 calls ended", hint]
    assert wait.timeout_message().endswith("Last state: 0 of 2 calls ended. Check the id")
    wait.polled(Poll(False, "1 of 2 calls ended"))
    assert wait.timeout_message().endswith("Last state: 1 of 2 calls ended")


def test_another_logger_may_be_used(caplog: pytest.LogCaptureFixture) -> None:
    progress(log=logging.getLogger("a.trigger")).start()
    assert [record.name for record in caplog.records] == ["a.trigger"]
