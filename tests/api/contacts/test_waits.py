"""Conditions on the import of contacts."""

from __future__ import annotations

from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.contacts.waits import ContactImportEnded, ContactImportIdle

COUNTS = {"succeeded": 1200, "failed": 3}
COUNTED = "1,200 rows imported, 3 failed"


def response(status: str, start: int | None, **counts: int) -> dict[str, Any]:
    return {"status": status, "start_timestamp": start, **counts}


@pytest.mark.parametrize(
    ("latest", "done", "state"),
    [
        (response("idle", None), True, "idle, 0 rows imported, 0 failed"),
        (response("idle", 100, **COUNTS), True, f"idle, {COUNTED}"),
        (response("queued", 100), False, "queued, 0 rows imported, 0 failed"),
        (response("running", 100, **COUNTS), False, f"running, {COUNTED}"),
        (response("a status of the future", 100), False, "a status of the future, 0 rows imported, 0 failed"),
    ],
)
def test_no_import_is_running_if_the_latest_is_idle(latest: dict[str, Any], done: bool, state: str) -> None:
    hook = FakeHook(latest)
    poll = hook.run(ContactImportIdle().poll())
    assert hook.operations == ["get-contact-import"]
    assert (poll.done, poll.state) == (done, state)
    assert poll.result == {
        "start_timestamp": latest["start_timestamp"],
        "succeeded": latest.get("succeeded"),
        "failed": latest.get("failed"),
    }


@pytest.mark.parametrize(
    ("started", "after", "latest", "done", "state"),
    [
        # Retell does not show the import yet, but the one before it or none.
        (100, None, response("idle", None), False, "not started, idle"),
        (100, 50, response("idle", 50, **COUNTS), False, "not started, idle"),
        (None, 50, response("idle", 50, **COUNTS), False, "not started, idle"),
        (None, None, response("queued", None), False, "not started, queued"),
        # It shows the import.
        (100, 50, response("running", 100, **COUNTS), False, f"running, {COUNTED}"),
        (100, 50, response("idle", 100, **COUNTS), True, f"idle, {COUNTED}"),
        (100, None, response("idle", 100, **COUNTS), True, f"idle, {COUNTED}"),
        # The response to the start had no start time.
        (None, 50, response("running", 100, **COUNTS), False, f"running, {COUNTED}"),
        (None, 50, response("idle", 100, **COUNTS), True, f"idle, {COUNTED}"),
    ],
)
def test_import_has_ended_if_retell_shows_it_and_it_is_idle(
    started: int | None, after: int | None, latest: dict[str, Any], done: bool, state: str
) -> None:
    poll = FakeHook(latest).run(ContactImportEnded(started, after).poll())
    assert (poll.done, poll.state) == (done, state)
    assert not poll.done or poll.result == {"start_timestamp": 100, **COUNTS}


@pytest.mark.parametrize("status", ["queued", "running", "idle"])
def test_import_with_a_later_start_hides_the_counts_and_is_waited_for(status: str) -> None:
    # It is that of another client, or Retell changes the start time of an import that was queued.
    poll = FakeHook(response(status, 200, **COUNTS)).run(ContactImportEnded(100, 50).poll())
    assert (poll.done, poll.state) == (status == "idle", f"{status}, with a later start time")
    assert poll.result == {"start_timestamp": 200}


def test_conditions_complete_the_phrase_waiting_for() -> None:
    assert str(ContactImportIdle()) == "the organization's contact import to end"
    assert str(ContactImportEnded(100, 50)) == "the contact import to end"
