"""POST /create-batch-call."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_retell.emulator import Clock

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Connect, Make, Send

FROM, TO = "+14155550100", "+14155550123"


@pytest.mark.usefixtures("v3_sdk")
def test_a_batch_places_every_task_once_within_the_concurrency(
    make: Make, send: Send, connect: Connect
) -> None:
    emulator = make(concurrency=4)
    client = connect(emulator)
    numbers = [f"+1415555{n:04}" for n in range(10)]
    batch = client.batch_call.create_batch_call(
        from_number=FROM,
        name="May",
        tasks=[{"to_number": number, "metadata": {"row": number}} for number in numbers],
    )
    assert (batch.total_task_count, batch.name, batch.from_number) == (10, "May", FROM)
    most = 0
    for _ in range(120):
        emulator.clock.advance(1)
        live = send(emulator, "GET", "/get-concurrency").json["current_concurrency"]
        most = max(most, live)
    assert most == 4
    assert [call["to_number"] for call in emulator.placed] == numbers
    found = client.call.list(
        filter_criteria={"batch_call_id": {"type": "string", "op": "eq", "value": batch.batch_call_id}},
        include_total=True,
    )
    assert found.total == 10
    assert "batch_call_id" not in send(emulator, "POST", "/v3/list-calls").json["items"][0]


def test_a_batch_waits_for_its_trigger_and_leaves_reserved_slots_free(make: Make, send: Send) -> None:
    emulator = make(concurrency=5)
    at = emulator.clock.now_ms() + 60_000
    body = {
        "from_number": FROM,
        "tasks": [{"to_number": TO}] * 8,
        "trigger_timestamp": at,
        "reserved_concurrency": 2,
    }
    reply = send(emulator, "POST", "/create-batch-call", body)
    assert (reply.status, reply.json["scheduled_timestamp"]) == (201, at)
    emulator.clock.advance(59)
    assert emulator.placed == []
    emulator.clock.advance(1)
    assert len(emulator.placed) == 3


def test_a_stopped_or_deleted_call_frees_its_slot(make: Make, send: Send) -> None:
    emulator = make(concurrency=1)
    send(emulator, "POST", "/create-batch-call", {"from_number": FROM, "tasks": [{"to_number": TO}] * 3})
    first = emulator.placed[0]["call_id"]
    assert send(emulator, "POST", f"/v2/stop-call/{first}").status == 204
    assert len(emulator.placed) == 2
    assert send(emulator, "DELETE", f"/v2/delete-call/{emulator.placed[1]['call_id']}").status == 204
    assert len(emulator.placed) == 3


def test_a_higher_concurrency_takes_effect_at_once(make: Make, send: Send) -> None:
    emulator = make(concurrency=1)
    send(emulator, "POST", "/create-batch-call", {"from_number": FROM, "tasks": [{"to_number": TO}] * 3})
    assert len(emulator.placed) == 1
    emulator.organization.concurrency = 2
    assert len(emulator.placed) == 2


def test_a_batch_places_calls_in_its_daily_windows_only(make: Make, send: Send) -> None:
    zone = ZoneInfo("Europe/Berlin")
    friday_evening = datetime(2026, 5, 8, 18, 0, tzinfo=zone).timestamp()
    emulator = make(clock=Clock(frozen=True, start=friday_evening))
    window = {
        "windows": [{"start": 14 * 60, "end": 15 * 60}, {"start": 9 * 60, "end": 10 * 60}],
        "timezone": "Europe/Berlin",
        "day": ["Monday", "Friday"],
    }
    body = {"from_number": FROM, "tasks": [{"to_number": TO}], "call_time_window": window}
    assert send(emulator, "POST", "/create-batch-call", body).json["call_time_window"] == window
    monday = datetime(2026, 5, 11, 9, 0, tzinfo=zone).timestamp()
    emulator.clock.advance(monday - friday_evening - 1)
    assert emulator.placed == []
    emulator.clock.advance(1)
    assert len(emulator.placed) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": []},
        {"tasks": [{"to_number": "12"}]},
        {"tasks": [{"to_number": TO, "idempotency_key": "k"}]},
        {"from_number": "12"},
        {"reserved_concurrency": 20},
        {"trigger_timestamp": "now"},
        {"call_time_window": {"windows": [{"start": 60, "end": 60}]}},
        {"call_time_window": {"windows": [{"start": 0, "end": 60}], "timezone": "Mars/Base"}},
        {"call_time_window": {"windows": [{"start": 0, "end": 60}], "timezone": "../x"}},
        {"call_time_window": {"windows": [{"start": 0, "end": 60}], "day": ["Funday"]}},
    ],
)
def test_an_invalid_batch_gets_400_and_places_no_call(
    emulator: Emulator, change: dict[str, Any], send: Send
) -> None:
    body = {"from_number": FROM, "tasks": [{"to_number": TO}], **change}
    assert send(emulator, "POST", "/create-batch-call", body).status == 400
    assert emulator.placed == []
