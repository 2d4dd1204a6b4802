"""How the present state of calls is read, as cheaply as the server lets."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.emulator import Emulator, Fault


def filled(emulator: Emulator, count: int) -> list[dict[str, Any]]:
    emulator.add_calls([f"call_{n}" for n in range(count)], metadata={"a": 1})
    return [{"call_id": f"call_{n}", "a": 1} for n in range(count)]


@pytest.mark.parametrize(
    ("most", "lists", "gets"),
    # 1000, 500, 250 and so on are refused, then what is left of the 1000 is asked for in lists of that length.
    [(None, 1, 0), (500, 1 + 2, 0), (200, 3 + 8, 0), (0, 10, 1000)],
)
def test_lists_that_the_server_finds_too_long_are_halved(
    emulator: Emulator, run: Any, most: int | None, lists: int, gets: int
) -> None:
    rows = filled(emulator, 1000)
    emulator.options.max_ids_per_filter = most
    task = run(rows=rows)
    task.check(rows=1000)
    assert task.counts == {"unchanged": 1000}
    assert (emulator.count("list-calls"), emulator.count("get-call")) == (lists, gets)


def test_the_length_that_worked_is_kept(emulator: Emulator, run: Any) -> None:
    rows = filled(emulator, 3000)
    emulator.options.max_ids_per_filter = 500
    assert run(rows=rows).counts == {"unchanged": 3000}
    assert emulator.count("list-calls") == 1 + 6


@pytest.mark.parametrize("status", [413, 414, 422])
def test_other_refusals_of_a_long_list(emulator: Emulator, run: Any, status: int) -> None:
    rows = filled(emulator, 10)
    emulator.faults.add(Fault.status(status), route="list-calls", times=2)
    assert run(rows=rows).counts == {"unchanged": 10}
    assert emulator.count("list-calls") == 2 + 5


def test_a_server_without_that_endpoint_is_not_taken_for_one_without_calls(
    emulator: Emulator, run: Any
) -> None:
    """The host of the connection may be somebody else's: 'not found' may be tolerated, that must not."""
    rows = filled(emulator, 3000)
    emulator.faults.add(Fault.status(404, body="Cannot POST /v3/list-calls"), times=0)
    task = run(rows=rows, tolerate=["not_found"], fails=True)
    assert set(task.counts) == {"failed"}
    assert "check the host in the Airflow connection" in task.outcome(1)[1]


def test_calls_that_a_listing_lacks_are_asked_for(emulator: Emulator, run: Any) -> None:
    rows = filled(emulator, 1500)
    part = {"items": [emulator.calls[f"call_{n}"] for n in range(900)], "has_more": False}
    emulator.faults.add(Fault.status(200, body=part), route="list-calls")
    task = run(rows=[*rows, {"call_id": "missing"}], fails=True)
    task.check(rows=1501)
    assert task.counts == {"unchanged": 1500, "not_found": 1}
    assert emulator.count("get-call") == 101  # the listing is not believed any more


def test_a_listing_is_believed_after_twenty_unknown_calls(emulator: Emulator, run: Any) -> None:
    rows = filled(emulator, 100)
    missing = [{"call_id": f"missing_{n}"} for n in range(1500)]
    task = run(rows=[*rows, *missing], tolerate=["not_found"])
    task.check(rows=1600)
    assert task.counts == {"unchanged": 100, "not_found": 1500}
    assert emulator.count("get-call") == 20


def test_a_call_that_cannot_be_read_fails_its_own_row_only(emulator: Emulator, run: Any) -> None:
    rows = filled(emulator, 120)
    emulator.options.max_ids_per_filter = 0
    emulator.faults.add(Fault.status(400), route="get-call", call_id="call_7", times=0)
    task = run(rows=rows, fails=True)
    task.check(rows=120)
    assert task.counts == {"unchanged": 119, "failed": 1}
    assert task.outcome(8)[1].startswith("the call could not be read: get-call of call call_7")


def test_nothing_is_read_that_an_update_does_not_need(emulator: Emulator, run: Any) -> None:
    """A page that breaks the API's form elsewhere is good enough."""
    emulator.add_call(call_id="a", transcript="x" * 5_000_000, call_cost="a lot")
    emulator.options.max_ids_per_filter = 0
    assert run(rows=[{"call_id": "a", "n": 1}]).counts == {"updated": 1}
