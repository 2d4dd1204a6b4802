"""The life cycle of calls on the emulator's clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from airflow_provider_retell.emulator import Clock, Lifecycle

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Connect, Make, Send

FROM, TO = "+14155550100", "+14155550123"


def test_a_placed_call_is_answered_ends_and_is_analyzed(emulator: Emulator, client: Retell) -> None:
    placed = client.call.create_phone_call(from_number=FROM, to_number=TO)
    assert placed.start_timestamp is None
    at = emulator.clock.now_ms()
    emulator.clock.advance(1.9)
    assert client.call.retrieve(placed.call_id).call_status == "registered"
    emulator.clock.advance(0.1)
    call = client.call.retrieve(placed.call_id)
    assert (call.call_status, call.start_timestamp) == ("ongoing", at + 2000)
    emulator.clock.advance(30)
    call = client.call.retrieve(placed.call_id)
    assert (call.call_status, call.disconnection_reason) == ("ended", "user_hangup")
    assert (call.duration_ms, call.end_timestamp) == (30_000, at + 32_000)
    assert call.call_analysis is None
    assert call.transcript
    emulator.clock.advance(10)
    analysis = client.call.retrieve(placed.call_id).call_analysis
    assert analysis is not None
    assert analysis.call_successful is True


def test_one_long_advance_gives_the_same_times_as_many_steps(make: Make, send: Send) -> None:
    ends = []
    for steps in (1, 100):
        emulator = make(clock=Clock(frozen=True, start=1_700_000_000), concurrency=2)
        tasks = [{"to_number": TO} for _ in range(5)]
        body = {"from_number": FROM, "tasks": tasks}
        assert send(emulator, "POST", "/create-batch-call", body).status == 201
        for _ in range(steps):
            emulator.clock.advance(200 / steps)
        ends.append([(call["start_timestamp"], call["end_timestamp"]) for call in emulator.placed])
    assert ends[0] == ends[1]
    assert [end for _, end in ends[0]] == [1_700_000_000_000 + s * 1000 for s in (32, 32, 64, 64, 96)]


@pytest.mark.parametrize(
    ("reason", "status", "connected"),
    [
        ("dial_no_answer", "not_connected", False),
        ("user_declined", "not_connected", False),
        ("error_asr", "error", True),
        ("voicemail_reached", "ended", True),
    ],
)
def test_outcomes_decide_how_calls_to_a_number_end(
    make: Make, reason: str, status: str, connected: bool, connect: Connect
) -> None:
    emulator = make(outcomes={TO: reason}, lifecycle=Lifecycle(answer=1, talk=5, analyze=1))
    connect(emulator).call.create_phone_call(from_number=FROM, to_number=TO)
    emulator.clock.advance(7)
    (call,) = emulator.placed
    assert (call["call_status"], call["disconnection_reason"]) == (status, reason)
    assert ("start_timestamp" in call) is connected
    assert call["call_analysis"]["call_successful"] is False
    assert call["call_analysis"]["in_voicemail"] is (reason == "voicemail_reached")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("user_hangup", {"approved": True}), ("voicemail_reached", {}), ("dial_busy", {})],
)
def test_custom_analysis_is_that_of_the_number_if_a_person_answers(
    make: Make, reason: str, expected: dict[str, bool], connect: Connect
) -> None:
    emulator = make(outcomes={TO: reason}, custom_analysis={TO: {"approved": True}})
    client = connect(emulator).call
    client.create_phone_call(from_number=FROM, to_number=TO)
    emulator.clock.advance(60)
    (call,) = emulator.placed
    assert call["call_analysis"]["custom_analysis_data"] == expected
    client.rerun_analysis(call["call_id"])
    emulator.clock.advance(60)
    assert call["call_analysis"]["custom_analysis_data"] == expected


def test_added_calls_continue_their_life_cycle_only_if_asked(emulator: Emulator) -> None:
    still = emulator.add_call(call_id="still", call_status="registered")
    moving = emulator.add_call(call_id="moving", call_status="registered", progress=True)
    talking = emulator.add_call(
        call_id="talking", call_status="ongoing", progress=True, start_timestamp=emulator.clock.now_ms()
    )
    pending = emulator.add_call(call_id="pending", call_analysis=None, progress=True)
    assert "call_analysis" not in pending
    emulator.clock.advance(10)
    assert "call_analysis" in pending
    assert [c["call_status"] for c in (still, moving, talking)] == ["registered", "ongoing", "ongoing"]
    emulator.clock.advance(20)
    assert [c["call_status"] for c in (still, moving, talking)] == ["registered", "ongoing", "ended"]
    emulator.clock.advance(20)
    assert [c["call_status"] for c in (still, moving, talking)] == ["registered", "ended", "ended"]


def test_calls_continue_without_requests_while_the_clock_runs(make: Make) -> None:
    emulator = make(clock=Clock(speed=1000), lifecycle=Lifecycle(answer=5, talk=10, analyze=5))
    emulator.add_call(call_id="call_1", call_status="registered", progress=True)
    deadline = time.monotonic() + 5
    while "call_analysis" not in emulator.calls["call_1"] and time.monotonic() < deadline:
        time.sleep(0.002)
    assert emulator.calls["call_1"]["duration_ms"] == 10_000


def test_given_fields_of_a_live_call_stay_at_its_end(emulator: Emulator) -> None:
    given = {"transcript": "User: Is it open?\n", "recording_url": "https://files.example.com/1.wav"}
    call = emulator.add_call(call_status="ongoing", progress=True, **given)
    emulator.clock.advance(60)
    assert call["call_status"] == "ended"
    assert {name: call[name] for name in given} == given
    assert call["duration_ms"] == 30_000
    assert call["call_cost"]
