"""Reading the state of many calls with few requests."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from airflow_provider_retell.api.errors import AuthenticationError
from airflow_provider_retell.bulk.read_each import read_each
from airflow_provider_retell.emulator import Emulator, Fault


def add_rows(emulator: Emulator, count: int) -> list[dict[str, Any]]:
    emulator.add_calls([f"call_{n}" for n in range(count)], metadata={"a": 1})
    return [{"call_id": f"call_{n}", "a": 1} for n in range(count)]


@pytest.mark.parametrize(
    ("most", "lists", "gets"),
    # Lists of 1000, 500, 250 ids and so on are rejected. The rest of the 1000 is read in lists of the accepted length.
    [(None, 1, 0), (500, 1 + 2, 0), (200, 3 + 8, 0), (0, 10, 1000)],
)
def test_a_list_of_ids_that_the_server_rejects_is_halved(
    emulator: Emulator, run: Any, most: int | None, lists: int, gets: int
) -> None:
    rows = add_rows(emulator, 1000)
    emulator.options.max_ids_per_filter = most
    task = run(rows=rows)
    task.check(rows=1000)
    assert task.counts == {"unchanged": 1000}
    assert (emulator.count("list-calls"), emulator.count("get-call")) == (lists, gets)


def test_the_log_says_how_many_ids_are_sent_next(
    emulator: Emulator, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    rows = add_rows(emulator, 3)
    emulator.options.max_ids_per_filter = 0
    run(rows=rows)
    assert [line.partition("list-calls")[2] for line in caplog.messages if "list-calls" in line] == [
        " rejects a filter with 3 ids (status 400). Next: 1 id per request",
        " rejects a filter with 1 id (status 400). Next: get-call",
    ]


def test_later_chunks_use_the_accepted_length(emulator: Emulator, run: Any) -> None:
    rows = add_rows(emulator, 2000)
    emulator.options.max_ids_per_filter = 500
    assert run(rows=rows).counts == {"unchanged": 2000}
    assert emulator.count("list-calls") == 1 + 4


@pytest.mark.parametrize("status", [413, 414, 422])
def test_other_statuses_can_mean_that_the_list_is_too_long(emulator: Emulator, run: Any, status: int) -> None:
    rows = add_rows(emulator, 10)
    emulator.faults.add(Fault.status(status), route="list-calls", times=2)
    assert run(rows=rows).counts == {"unchanged": 10}
    assert emulator.count("list-calls") == 2 + 5


def test_a_server_without_the_endpoint_is_not_taken_for_one_without_calls(
    emulator: Emulator, run: Any
) -> None:
    """The connection's host may be wrong. The task may tolerate unknown calls, but must not tolerate that."""
    rows = add_rows(emulator, 1000)
    emulator.faults.add(Fault.status(404, body="Cannot POST /v3/list-calls"), times=0)
    task = run(rows=rows, tolerate=["not_found"], fails=True)
    assert set(task.counts) == {"failed"}
    assert "check the host in the Airflow connection" in task.outcome(1)[1]


def test_calls_that_are_missing_in_a_listing_are_read_one_by_one(emulator: Emulator, run: Any) -> None:
    rows = add_rows(emulator, 1500)
    part = {"items": [emulator.calls[f"call_{n}"] for n in range(900)], "has_more": False}
    emulator.faults.add(Fault.status(200, body=part), route="list-calls")
    task = run(rows=[*rows, {"call_id": "missing"}], fails=True)
    task.check(rows=1501)
    assert task.counts == {"unchanged": 1500, "not_found": 1}
    # Listings are not trusted any more.
    assert emulator.count("get-call") == 101


def test_unknown_calls_of_all_chunks_count_for_the_trust(emulator: Emulator, run: Any) -> None:
    rows = add_rows(emulator, 3 * 985)
    missing = [{"call_id": f"missing_{n}"} for n in range(45)]
    chunks = [rows[985 * n : 985 * (n + 1)] + missing[15 * n : 15 * (n + 1)] for n in range(3)]
    task = run(rows=[row for chunk in chunks for row in chunk], tolerate=["not_found"])
    assert task.counts == {"unchanged": 3 * 985, "not_found": 45}
    assert emulator.count("get-call") == 20


def test_an_error_that_ends_the_run_cancels_the_other_reads() -> None:
    canceled = []

    async def read(key: str) -> None:
        if key == "rejected":
            raise AuthenticationError("the API key was revoked", status=401)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            canceled.append(key)
            raise

    with pytest.raises(AuthenticationError):
        asyncio.run(read_each(["a", "rejected", "b"], read))
    assert canceled == ["a", "b"]


def test_a_call_that_cannot_be_read_fails_only_its_own_row(emulator: Emulator, run: Any) -> None:
    rows = add_rows(emulator, 120)
    emulator.options.max_ids_per_filter = 0
    emulator.faults.add(Fault.status(400), route="get-call", call_id="call_7", times=0)
    task = run(rows=rows, fails=True)
    task.check(rows=120)
    assert task.counts == {"unchanged": 119, "failed": 1}
    assert task.outcome(8)[1].startswith("the call could not be read: get-call of call call_7")


def test_only_the_fields_that_an_update_needs_are_parsed(emulator: Emulator, run: Any) -> None:
    """Other fields can be large, or differ from Retell's documentation."""
    emulator.add_call(call_id="a", transcript="x" * 5_000_000, call_cost="a lot")
    emulator.options.max_ids_per_filter = 0
    assert run(rows=[{"call_id": "a", "n": 1}]).counts == {"updated": 1}
