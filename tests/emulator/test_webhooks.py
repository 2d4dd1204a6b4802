"""Webhooks: the events of calls and chats, signed so that the vendor's SDK accepts them."""

from __future__ import annotations

import http.server
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from retell.lib.webhook_auth import verify

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle, Options, WebhookDelivery, webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_mock import MockerFixture

    from tests.emulator.conftest import Connect, Make, Send

FROM, TO, BUSY = "+14155550100", "+14155550123", "+14155550199"


class Receiver(http.server.ThreadingHTTPServer):
    """Records requests and answers with the next of its statuses; None closes the connection."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/webhook"
        self.received: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int | None] = []

    def events(self) -> list[tuple[str, str]]:
        bodies = [json.loads(body) for body, _ in self.received]
        nouns = [body["event"].partition("_")[0] for body in bodies]
        return [(body["event"], body[noun][f"{noun}_id"]) for body, noun in zip(bodies, nouns, strict=True)]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((body, dict(self.headers.items())))
        status = self.server.statuses.pop(0) if self.server.statuses else 204
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(mocker: MockerFixture) -> Iterator[Receiver]:
    mocker.patch.object(webhooks, "RETRY_SECONDS", (0.01, 0.01, 0.01))
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def emulator(make: Make, receiver: Receiver) -> Emulator:
    return make(webhook_url=receiver.url, outcomes={BUSY: "dial_busy"})


@pytest.mark.parametrize(
    ("noun", "steps"),
    [("call", {1: 0, 2: 1, 32: 2, 42: 3, 142: 3}), ("chat", {0: 1, 30: 2, 40: 3, 140: 3})],
)
def test_calls_and_chats_send_their_events_as_they_progress(
    emulator: Emulator, receiver: Receiver, connect: Connect, noun: str, steps: dict[int, int]
) -> None:
    sdk: Any = getattr(connect(emulator), noun)
    if noun == "call":
        numbers = {"from_number": FROM, "to_number": TO}
        placed = sdk.create_phone_call(**numbers, metadata={"a": 1}, retell_llm_dynamic_variables={})
        record_id = placed.call_id
    else:
        record_id = "chat_1"
        emulator.add_chat(chat_id=record_id, chat_status="ongoing", progress=True, metadata={"a": 1})
    names = [f"{noun}_{state}" for state in ("started", "ended", "analyzed")]
    passed = 0
    for seconds, events in steps.items():
        emulator.clock.advance(seconds - passed)
        passed = seconds
        emulator.wait_for_webhooks()
        assert receiver.events() == [(name, record_id) for name in names[:events]]
    started, ended, analyzed = (json.loads(body)[noun] for body, _ in receiver.received)
    assert (started[f"{noun}_status"], ended[f"{noun}_status"]) == ("ongoing", "ended")
    assert started["metadata"] == {"a": 1}
    assert "retell_llm_dynamic_variables" not in started
    assert "transcript" not in started
    assert "transcript" in ended
    assert f"{noun}_analysis" not in ended
    shown = sdk.retrieve(record_id).to_dict()
    left_out = ("retell_llm_dynamic_variables", "collected_dynamic_variables")
    assert analyzed == {name: value for name, value in shown.items() if name not in left_out or value}
    assert emulator.webhooks == [WebhookDelivery(name, record_id, [204]) for name in names]
    assert all(delivery.delivered for delivery in emulator.webhooks)


def test_a_chat_that_is_ended_sends_its_end_and_a_new_analysis_no_event(
    emulator: Emulator, receiver: Receiver, connect: Connect
) -> None:
    emulator.add_chat(chat_id="chat_1", chat_status="ongoing")
    connect(emulator).chat.end("chat_1")
    emulator.wait_for_webhooks()
    assert receiver.events() == [("chat_ended", "chat_1")]
    emulator.clock.advance(60)
    connect(emulator).put("/rerun-chat-analysis/chat_1", cast_to=object)
    emulator.clock.advance(60)
    emulator.wait_for_webhooks()
    assert receiver.events() == [("chat_ended", "chat_1"), ("chat_analyzed", "chat_1")]


def test_time_that_passes_in_one_step_does_not_delay_the_end_of_a_chat(emulator: Emulator) -> None:
    start = emulator.add_chat(chat_id="chat_1", chat_status="ongoing", progress=True)["start_timestamp"]
    emulator.clock.advance(3600)
    chat = emulator.chats["chat_1"]
    assert chat["end_timestamp"] == start + 30_000
    assert "chat_analysis" in chat


def test_a_call_that_never_connects_has_no_started_event(
    emulator: Emulator, receiver: Receiver, connect: Connect
) -> None:
    call = connect(emulator).call.create_phone_call(from_number=FROM, to_number=BUSY)
    emulator.clock.advance(60)
    emulator.wait_for_webhooks()
    assert receiver.events() == [("call_ended", call.call_id), ("call_analyzed", call.call_id)]


def test_a_stopped_call_sends_its_end(emulator: Emulator, receiver: Receiver, connect: Connect) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    connect(emulator).call.stop("call_1")
    emulator.wait_for_webhooks()
    assert receiver.events() == [("call_ended", "call_1")]


def test_the_sdk_accepts_the_signature_of_the_organizations_key(
    emulator: Emulator, receiver: Receiver, connect: Connect
) -> None:
    other = emulator.add_organization("other", api_key="key_other")
    other.add_call(call_id="call_other", call_status="ongoing")
    emulator.add_call(call_id="call_1", call_status="ongoing")
    connect(emulator).call.stop("call_1")
    connect(emulator, "key_other").call.stop("call_other")
    emulator.wait_for_webhooks()
    for (body, headers), key in zip(receiver.received, (emulator.api_key, "key_other"), strict=True):
        signature = headers["X-Retell-Signature"]
        assert verify(body.decode(), key, signature)
        assert not verify(body.decode() + " ", key, signature)
        assert not verify(body.decode(), "key_wrong", signature)


@pytest.mark.parametrize(
    ("statuses", "seen"),
    [
        ([500, None, 301, 200], [500, None, 301, 200]),
        ([400] * 4, [400] * 4),
        ([201], [201]),
        ([503, 204], [503, 204]),
    ],
)
def test_an_event_is_repeated_up_to_three_times(
    emulator: Emulator, receiver: Receiver, connect: Connect, statuses: Any, seen: Any
) -> None:
    receiver.statuses = list(statuses)
    emulator.add_call(call_id="call_1", call_status="ongoing")
    connect(emulator).call.stop("call_1")
    emulator.wait_for_webhooks()
    (delivery,) = emulator.webhooks
    assert delivery.statuses == seen
    assert delivery.delivered == (seen[-1] in (200, 201, 204))
    assert receiver.events() == [("call_ended", "call_1")] * len(seen)


def test_a_receiver_that_is_not_there_stops_nothing(make: Make, receiver: Receiver, connect: Connect) -> None:
    emulator = make(webhook_url="http://127.0.0.1:9/webhook")
    emulator.add_call(call_id="call_1", call_status="ongoing")
    connect(emulator).call.stop("call_1")
    emulator.wait_for_webhooks()
    assert [delivery.statuses for delivery in emulator.webhooks] == [[None] * 4]


def test_only_the_chosen_events_are_sent(make: Make, receiver: Receiver, connect: Connect) -> None:
    emulator = make(webhook_url=receiver.url, webhook_events=("call_analyzed",))
    connect(emulator).call.create_phone_call(from_number=FROM, to_number=TO)
    emulator.clock.advance(60)
    emulator.wait_for_webhooks()
    assert [event for event, _ in receiver.events()] == ["call_analyzed"]


def test_calls_progress_without_requests(make: Make, receiver: Receiver) -> None:
    emulator = make(
        webhook_url=receiver.url, clock=Clock(speed=100), lifecycle=Lifecycle(answer=1, talk=1, analyze=1)
    )
    emulator.add_call(call_id="call_1", call_status="registered", progress=True)
    deadline = time.monotonic() + 10
    while len(receiver.received) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [event for event, _ in receiver.events()] == ["call_started", "call_ended", "call_analyzed"]


def test_without_a_receiver_nothing_is_kept(make: Make, connect: Connect) -> None:
    emulator = make()
    connect(emulator).call.create_phone_call(from_number=FROM, to_number=TO)
    emulator.clock.advance(60)
    emulator.wait_for_webhooks(0)
    assert emulator.webhooks == []


def test_events_wait_for_the_next_start(receiver: Receiver) -> None:
    emulator = Emulator(webhook_url=receiver.url, clock=Clock(frozen=True))
    emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
    emulator.clock.advance(3600)
    with pytest.raises(TimeoutError, match="not delivered within 0 s"):
        emulator.wait_for_webhooks(0)
    for _ in range(2):
        with emulator:
            emulator.wait_for_webhooks()
    assert [event for event, _ in receiver.events()] == ["call_ended", "call_analyzed"]
    emulator.reset()
    assert emulator.webhooks == []


def test_the_emulator_stops_while_the_receiver_hangs(receiver: Receiver) -> None:
    with Emulator(webhook_url="http://127.0.0.1:9/", clock=Clock(frozen=True)) as emulator:
        webhooks.RETRY_SECONDS = (60.0, 60.0, 60.0)
        emulator.add_call(call_id="call_1", call_status="ongoing", progress=True)
        emulator.clock.advance(30)
        begin = time.monotonic()
    assert time.monotonic() - begin < 5


# -- the control API


def test_events_are_sent_on_demand(emulator: Emulator, receiver: Receiver, send: Send) -> None:
    emulator.add_call(call_id="call_1", metadata={})
    emulator.add_organization("other").add_call(call_id="call_other")
    emulator.add_chat(chat_id="chat_1")
    for body in (
        {"event": "call_analyzed", "call_id": "call_1"},
        {"event": "call_ended", "call_id": "call_other", "organization": "other"},
        {"event": "chat_ended", "chat_id": "chat_1"},
    ):
        assert send(emulator, "POST", "/_emulator/webhooks/send", body).status == 204
    emulator.wait_for_webhooks()
    assert receiver.events() == [
        ("call_analyzed", "call_1"),
        ("call_ended", "call_other"),
        ("chat_ended", "chat_1"),
    ]
    assert "metadata" not in json.loads(receiver.received[0][0])["call"]
    # The call and the chat have an analysis, but these events do not contain it.
    assert "call_analysis" not in json.loads(receiver.received[1][0])["call"]
    assert "chat_analysis" not in json.loads(receiver.received[2][0])["chat"]
    assert send(emulator, "GET", "/_emulator/webhooks").json == [
        {"event": "call_analyzed", "record_id": "call_1", "statuses": [204]},
        {"event": "call_ended", "record_id": "call_other", "statuses": [204]},
        {"event": "chat_ended", "record_id": "chat_1", "statuses": [204]},
    ]


def test_the_receiver_can_be_changed(make: Make, receiver: Receiver, send: Send) -> None:
    emulator = make()
    emulator.add_call(call_id="call_1")
    event = {"event": "call_ended", "call_id": "call_1"}
    reply = send(emulator, "POST", "/_emulator/webhooks/send", event)
    assert (reply.status, reply.json["message"]) == (400, "there is no receiver: set its url first")
    reply = send(emulator, "POST", "/_emulator/webhooks", {"url": receiver.url, "events": ["call_ended"]})
    assert reply.json == {"url": receiver.url, "events": ["call_ended"]}
    assert send(emulator, "POST", "/_emulator/webhooks/send", event).status == 204
    emulator.wait_for_webhooks()
    assert receiver.events() == [("call_ended", "call_1")]
    reply = send(emulator, "POST", "/_emulator/webhooks", {"url": None})
    assert reply.json == {"url": None, "events": ["call_ended"]}


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("webhooks", {}, 400, "the body must be"),
        ("webhooks", {"address": "x"}, 400, "the body must be"),
        ("webhooks", {"url": "ftp://x"}, 400, "must be an http or https URL"),
        ("webhooks", {"events": ["chat_over"]}, 400, "webhook_events must be among"),
        ("webhooks/send", {"event": "call_ended"}, 400, "the body must be"),
        ("webhooks/send", {"event": "call_over", "call_id": "call_1"}, 400, "event must be one of"),
        ("webhooks/send", {"event": "call_ended", "call_id": "call_2"}, 404, "there is no call 'call_2'"),
        ("webhooks/send", {"event": "chat_ended", "chat_id": "chat_2"}, 404, "there is no chat 'chat_2'"),
        ("webhooks/send", {"event": "chat_ended", "call_id": "call_1"}, 400, "must be an event of a call"),
        ("webhooks/send", {"event": "chat_ended", "chat_id": "a", "call_id": "b"}, 400, "the body must be"),
        ("webhooks/send", {"event": "call_ended", "call_id": "call_1", "organization": "x"}, 400, "unknown"),
    ],
)
def test_a_wrong_request_is_explained(
    emulator: Emulator, send: Send, path: str, body: Any, status: int, message: str
) -> None:
    emulator.add_call(call_id="call_1")
    reply = send(emulator, "POST", f"/_emulator/{path}", body)
    assert (reply.status, message in reply.json["message"]) == (status, True)


@pytest.mark.parametrize("options", [{"webhook_url": "localhost"}, {"webhook_events": ("call_over",)}])
def test_wrong_options_are_rejected(options: Any) -> None:
    with pytest.raises(ValueError, match="webhook_"):
        Emulator(**options)
    assert Options().webhook_url is None
