"""Conditions on the organization's concurrency."""

from __future__ import annotations

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.errors import WaitFailedError
from airflow_provider_retell.api.organization.waits import ConcurrencyAvailable


@pytest.mark.parametrize(("calls", "done"), [(1, True), (5, True), (6, False), (18, False)])
def test_concurrency_is_available_if_enough_slots_are_free(calls: int, done: bool) -> None:
    limits = {"current_concurrency": 13, "concurrency_limit": 20, "reserved_inbound_concurrency": 2}
    hook = FakeHook(limits)
    poll = hook.run(ConcurrencyAvailable(calls).poll())
    assert hook.operations == ["get-concurrency"]
    assert poll.done is done
    assert poll.state == "5 available"
    assert poll.result == {"available": 5}


def test_more_calls_than_the_limit_end_the_wait() -> None:
    limits = {"current_concurrency": 0, "concurrency_limit": 20, "reserved_inbound_concurrency": 2}
    with pytest.raises(WaitFailedError, match="Concurrency for 19 calls will never be available") as caught:
        FakeHook(limits).run(ConcurrencyAvailable(19).poll())
    assert "18 outbound calls" in str(caught.value)


def test_condition_completes_the_phrase_waiting_for() -> None:
    assert str(ConcurrencyAvailable()) == "concurrency for 1 more call"
    assert str(ConcurrencyAvailable(2)) == "concurrency for 2 more calls"
