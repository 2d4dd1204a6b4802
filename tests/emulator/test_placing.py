from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import retell

from airflow_provider_retell.emulator import Clock, Lifecycle

FROM, TO = "+14155550100", "+14155550123"


@pytest.fixture
def place(send):
    def ask(emulator, **body):
        whole = {"from_number": FROM, "to_number": TO, **body}
        return send(emulator, "POST", "/v2/create-phone-call", whole)

    return ask


def test_a_call_lives_registered_ongoing_ended_analyzed(emulator, client):
    placed = client.call.create_phone_call(
        from_number=FROM,
        to_number=TO,
        metadata={"a": 1},
        override_agent_id="agent_mine",
        override_agent_version=7,
        retell_llm_dynamic_variables={"name": "Ann"},
    )
    assert (placed.call_status, placed.direction, placed.metadata) == ("registered", "outbound", {"a": 1})
    assert (placed.agent_id, placed.agent_version) == ("agent_mine", 7)
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
    assert client.call.retrieve(placed.call_id).call_analysis.call_successful is True


def test_one_long_leap_gives_the_same_times_as_many_steps(make, send):
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
def test_outcomes(make, reason, status, connected, place):
    emulator = make(outcomes={TO: reason}, lifecycle=Lifecycle(answer=1, talk=5, analyze=1))
    place(emulator)
    emulator.clock.advance(7)
    (call,) = emulator.placed
    assert (call["call_status"], call["disconnection_reason"]) == (status, reason)
    assert ("start_timestamp" in call) is connected
    assert call["call_analysis"]["call_successful"] is False
    assert call["call_analysis"]["in_voicemail"] is (reason == "voicemail_reached")


def test_added_calls_progress_only_if_asked(emulator):
    still = emulator.add_call(call_id="still", call_status="registered")
    moving = emulator.add_call(call_id="moving", call_status="registered", progress=True)
    talking = emulator.add_call(
        call_id="talking", call_status="ongoing", progress=True, start_timestamp=emulator.clock.now_ms()
    )
    unread = emulator.add_call(call_id="unread", call_analysis=None, progress=True)
    assert "call_analysis" not in unread
    emulator.clock.advance(10)
    assert "call_analysis" in unread
    assert [c["call_status"] for c in (still, moving, talking)] == ["registered", "ongoing", "ongoing"]
    emulator.clock.advance(20)
    assert [c["call_status"] for c in (still, moving, talking)] == ["registered", "ongoing", "ended"]
    emulator.clock.advance(20)
    assert [c["call_status"] for c in (still, moving, talking)] == ["registered", "ended", "ended"]


def test_idempotency_key_holds_for_an_hour(emulator, place):
    first = place(emulator, idempotency_key="k").json["call_id"]
    emulator.clock.advance(3599)
    again = place(emulator, idempotency_key="k")
    assert (again.status, again.json["call_id"]) == (201, first)
    assert again.json["call_status"] == "ended"
    assert place(emulator, idempotency_key="other").json["call_id"] != first
    assert len(emulator.placed) == 2
    emulator.clock.advance(1)
    assert place(emulator, idempotency_key="k").json["call_id"] != first
    assert len(emulator.placed) == 3


def test_idempotency_holds_at_the_concurrency_limit(make, place):
    emulator = make(concurrency=1)
    first = place(emulator, idempotency_key="k").json["call_id"]
    assert place(emulator).status == 429
    assert place(emulator, idempotency_key="k").json["call_id"] == first
    assert len(emulator.placed) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"to_number": "0171 555"}, "E.164"),
        ({"from_number": "14155550100"}, "E.164"),
        ({"to_number": None}, "must be string"),
        ({"retell_llm_dynamic_variables": {"n": 1}}, "must be string"),
        ({"override_agent_version": 1.5}, "must be string or integer"),
        ({"color": "red"}, "additional properties: 'color'"),
        ({"to_number": "+14155550199", "honor_internal_dnc": True}, "do not call"),
    ],
)
def test_refused_calls_are_not_placed(make, body, message, send, place):
    emulator = make(do_not_call=("+14155550199",))
    reply = place(emulator, **body)
    assert reply.status == 400
    assert message in reply.json["message"]
    assert emulator.placed == []
    missing = send(emulator, "POST", "/v2/create-phone-call", {"from_number": FROM})
    assert "must have required property 'to_number'" in missing.json["message"]


def test_e164_check_and_do_not_call_can_be_left_out(make, place):
    emulator = make(do_not_call=("+14155550199",))
    assert place(emulator, to_number="sip:desk", ignore_e164_validation=True).status == 201
    assert place(emulator, to_number="+14155550199").status == 201


def test_concurrency_is_limited_and_told(make, send, connect, place):
    emulator = make(concurrency=25)
    emulator.add_call(call_status="ongoing", call_type="web_call")
    emulator.add_call(call_status="ended")
    client = connect(emulator)
    for _ in range(24):
        assert place(emulator).status == 201
    with pytest.raises(retell.RateLimitError, match="Concurrency"):
        client.call.create_phone_call(from_number=FROM, to_number=TO)
    told = client.concurrency.retrieve()
    assert (told.current_concurrency, told.concurrency_limit, told.base_concurrency) == (25, 25, 20)
    assert send(emulator, "GET", "/get-concurrency").json == {
        "current_concurrency": 25,
        "concurrency_limit": 25,
        "base_concurrency": 20,
        "purchased_concurrency": 5,
        "concurrency_purchase_limit": 100,
        "remaining_purchase_limit": 95,
        "concurrency_burst_enabled": False,
        "concurrency_burst_limit": 0,
        "reserved_inbound_concurrency": 0,
    }
    emulator.clock.advance(100)
    assert client.concurrency.retrieve().current_concurrency == 1


class TestBatch:
    @pytest.mark.usefixtures("v3_sdk")
    def test_never_above_concurrency_and_every_task_once(self, make, send, connect):
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
        criteria = {"batch_call_id": {"type": "string", "op": "eq", "value": batch.batch_call_id}}
        found = client.call.list(filter_criteria=criteria, include_total=True)
        assert found.total == 10
        assert "batch_call_id" not in send(emulator, "POST", "/v3/list-calls").json["items"][0]

    def test_waits_for_its_trigger_and_leaves_reserved_slots(self, make, send):
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

    def test_a_stopped_or_deleted_call_frees_its_slot(self, make, send):
        emulator = make(concurrency=1)
        send(emulator, "POST", "/create-batch-call", {"from_number": FROM, "tasks": [{"to_number": TO}] * 3})
        first = emulator.placed[0]["call_id"]
        assert send(emulator, "POST", f"/v2/stop-call/{first}").status == 204
        assert len(emulator.placed) == 2
        assert send(emulator, "DELETE", f"/v2/delete-call/{emulator.placed[1]['call_id']}").status == 204
        assert len(emulator.placed) == 3

    def test_calls_keep_to_the_daily_window(self, make, send):
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
    def test_bad_bodies(self, emulator, change, send):
        body = {"from_number": FROM, "tasks": [{"to_number": TO}], **change}
        assert send(emulator, "POST", "/create-batch-call", body).status == 400
        assert emulator.placed == []


class TestOneCall:
    def test_stop(self, emulator, send, place):
        call_id = place(emulator).json["call_id"]
        emulator.clock.advance(12)
        assert send(emulator, "POST", f"/v2/stop-call/{call_id}").status == 204
        call = emulator.calls[call_id]
        assert (call["call_status"], call["disconnection_reason"]) == ("ended", "manual_stopped")
        assert call["duration_ms"] == 10_000
        assert send(emulator, "POST", f"/v2/stop-call/{call_id}").status == 400
        emulator.clock.advance(10)
        assert call["call_analysis"]
        emulator.clock.advance(60)
        assert call["disconnection_reason"] == "manual_stopped"

    def test_delete(self, emulator, client):
        emulator.add_call(call_id="call_1")
        client.call.delete("call_1")
        for attempt in (client.call.retrieve, client.call.delete):
            with pytest.raises(retell.UnprocessableEntityError):
                attempt("call_1")
        assert "call_1" not in emulator.calls

    def test_rerun_analysis(self, emulator, send):
        emulator.add_call(call_id="call_1")
        before = emulator.calls["call_1"]["call_analysis"]
        reply = send(emulator, "PUT", "/rerun-call-analysis/call_1")
        assert reply.status == 201
        assert reply.json["call_analysis"]["call_summary"] != before["call_summary"]
        assert emulator.reruns == 1
        emulator.add_call(call_id="call_2", call_status="ongoing")
        assert send(emulator, "PUT", "/rerun-call-analysis/call_2").status == 400
        assert emulator.reruns == 1

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v2/get-call/"),
            ("PATCH", "/v2/update-call/"),
            ("PATCH", "/v2/update-live-call/"),
            ("POST", "/v2/stop-call/"),
            ("DELETE", "/v2/delete-call/"),
            ("PUT", "/rerun-call-analysis/"),
        ],
    )
    def test_unknown_call_answers_422(self, emulator, method, path, send):
        reply = send(emulator, method, path + "call_none", {} if method == "PATCH" else None)
        assert reply.status == 422
        assert reply.json["status"] == "error"
