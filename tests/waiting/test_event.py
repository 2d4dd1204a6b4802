"""The event of a polling trigger, as the task reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellError, WaitFailedError, WaitTimeoutError
from airflow_provider_retell.waiting.event import check_event, trigger_timeout


def test_event_of_a_wait_that_succeeded_is_returned() -> None:
    event = {"status": "done", "call_id": "call_1"}
    assert check_event(event) == event


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"status": "timeout", "message": "Timed out"}, WaitTimeoutError),
        ({"status": "error", "message": "Timed out", "permanent": True}, WaitFailedError),
        ({"status": "error", "message": "Timed out", "permanent": False}, RetellError),
    ],
)
def test_error_in_the_event_is_raised(event: dict[str, Any], kind: type[RetellError]) -> None:
    with pytest.raises(RetellError, match="^Timed out$") as error:
        check_event(event)
    assert type(error.value) is kind


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": None}])
def test_event_of_another_trigger_fails_the_task_for_good(event: Any) -> None:
    with pytest.raises(WaitFailedError, match="unknown status"):
        check_event(event)


@pytest.mark.parametrize("status", ["timeout", "error"])
def test_event_may_lack_the_fields_of_other_versions(status: str) -> None:
    with pytest.raises(RetellError):
        check_event({"status": status})


def test_airflows_own_time_out_is_later_than_the_triggers() -> None:
    assert trigger_timeout(40) == timedelta(seconds=340)
