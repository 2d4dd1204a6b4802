"""The test sender: its events, its output, and their effect on a receiver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from retell.lib.webhook_auth import verify
from signed_events import KEY

from airflow_provider_retell.api.event_payload import event_payload, noun_of, records_in
from airflow_provider_retell.api.webhook import sign
from airflow_provider_retell.emulator import Clock, Emulator
from airflow_provider_retell.webhook.sender import EVENTS, explain, main, sample

if TYPE_CHECKING:
    from fake_airflow import FakeAirflow

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETELL_KEY", KEY)


def url_of(receiver: Any) -> str:
    return f"http://127.0.0.1:{receiver.port}/retell/webhook"


def printed(capsys: Any) -> list[str]:
    """Return the two lines of the command. Some versions of Airflow log to the standard output before them."""
    lines: list[str] = capsys.readouterr().out.splitlines()
    return lines[-2:]


def run(receiver: Any, *arguments: str) -> int:
    return main(["send", "--url", url_of(receiver), "--api-key-env", "RETELL_KEY", *arguments])


@pytest.mark.parametrize(
    ("arguments", "event", "asset_id"),
    [(("--id", "call_test"), "call_ended", 8), (("--event", "chat_ended"), "chat_ended", 9)],
)
def test_a_test_event_becomes_an_event_of_the_asset_of_its_kind(
    receiver: Any,
    airflow_api: FakeAirflow,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    event: str,
    asset_id: int,
) -> None:
    assert run(receiver, *arguments) == 0
    (created,) = airflow_api.events
    assert (created["asset_id"], created["extra"]["event"]) == (asset_id, event)
    noun = event[:4]
    record_id = created["extra"][f"{noun}s"][0][f"{noun}_id"]
    assert record_id == "call_test" if noun == "call" else record_id.startswith("chat_test_")
    assert printed(capsys) == [
        f"{event} of {noun} {record_id}: 204 created",
        "Airflow has created the asset event.",
    ]


def test_each_result_is_explained(receiver: Any, airflow_api: FakeAirflow, capsys: Any) -> None:
    seen = []
    for arguments in (
        ("--id", "call_1"),
        ("--id", "call_1"),
        ("--id", "call_1", "--event", "call_analyzed"),
        ("--event", "call_started"),
        (),
        (),
    ):
        code = run(receiver, *arguments)
        first, second = printed(capsys)
        seen.append((code, first.split(": ")[1]))
        assert second == explain(204, first.split()[-1])
    created, duplicate = (0, "204 created"), (0, "204 duplicate")
    assert seen == [created, duplicate, created, (0, "204 ignored"), created, created]


def test_a_failure_of_airflow_is_told_to_the_signed_sender(
    receiver: Any, airflow_api: FakeAirflow, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_AIRFLOW_API", json.dumps({"conn_type": "http", "host": "http://127.0.0.1:9"})
    )
    assert run(receiver) == 1
    text = capsys.readouterr().out
    assert ": 503 failed\n" in text
    assert "see the log of the API server" in text


def test_another_key_learns_nothing(receiver: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("RETELL_KEY", "key_other")
    assert run(receiver) == 1
    text = capsys.readouterr().out
    assert ": 401\n" in text
    assert "rejects the signature" in text
    assert "webhook_retell_conn_id" in text
    assert receiver.post(b"{}", key="key_other") == 401
    assert receiver.result is None


def test_a_signed_body_that_is_no_event_is_invalid(receiver: Any) -> None:
    assert receiver.post(b'{"event": "call_ended"}') == 400
    assert receiver.result == "invalid"


def test_a_receiver_without_a_key_tells_nothing(
    receiver: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_RETELL_KEY")
    assert run(receiver) == 1
    assert "could not read the API key" in capsys.readouterr().out
    assert receiver.post(b"{}") == 503
    assert receiver.result is None


def test_event_is_posted_as_json() -> None:
    with Emulator() as emulator:
        assert main(["send", "--url", f"{emulator.url}/webhook", "--api-key-env", "RETELL_KEY"]) == 1
    (request,) = emulator.requests
    assert request.headers["content-type"] == "application/json"


def test_redirects_are_not_followed(airflow_api: FakeAirflow, capsys: pytest.CaptureFixture[str]) -> None:
    airflow_api.answers = [("POST", 302)]
    assert main(["send", "--url", f"{airflow_api.url}/webhook", "--api-key-env", "RETELL_KEY"]) == 1
    assert airflow_api.seen == [("POST", "/webhook")]
    assert ": 302\n" in capsys.readouterr().out


@pytest.mark.parametrize("event", EVENTS)
def test_sample_events_are_events_without_real_data(event: str) -> None:
    body = sample(event, "id_1", 1_800_000_000.5)
    noun, _, state = event.partition("_")
    payload = event_payload(body, noun_of(event))
    assert payload["event"] == event
    ((record_id, summary),) = records_in(payload)
    assert record_id == "id_1"
    assert (summary["end_timestamp"] is None) == (state == "started")
    record = json.loads(body)[noun]
    assert record[f"{noun}_status"] == ("ongoing" if state == "started" else "ended")
    assert (f"{noun}_analysis" in record) == (state == "analyzed")
    assert record.get("duration_ms") == (60_000 if noun == "call" and state != "started" else None)


def test_the_vendors_sdk_accepts_the_signature() -> None:
    signature = sign(b'{"a": 1}', KEY, time.time())
    assert verify('{"a": 1}', KEY, signature)
    assert not verify('{"a": 2}', KEY, signature)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "localhost:8080/retell/webhook", "--api-key-env", "RETELL_KEY"], "--url must be"),
        (
            ["--url", "http://127.0.0.1:9/", "--api-key-env", "RETELL_KEY"],
            "no response from http://127.0.0.1:9/ (ConnectionError)",
        ),
        (["--url", "http://127.0.0.1:9/", "--api-key-env", "NO_KEY"], "NO_KEY is not set"),
        (["--url", "http://127.0.0.1:9/", "--conn-id", "retell_unknown"], "cannot read the connection"),
    ],
)
def test_what_cannot_be_sent_is_explained_in_one_line(
    capsys: Any, arguments: list[str], message: str
) -> None:
    assert main(["send", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert KEY not in captured.err + captured.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments are required: command"),
        (["send"], "arguments are required: --url"),
        (["send", "--url", "http://127.0.0.1:9/", "--event", "call_began"], "invalid choice: 'call_began'"),
    ],
)
def test_wrong_arguments_are_usage_errors(capsys: Any, arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("usage: python -m airflow_provider_retell.webhook")
    assert message in captured.err


def test_help_explains_the_command_and_its_options(capsys: Any) -> None:
    for arguments in (["--help"], ["send", "--help"]):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "Test a webhook receiver",
        "send sign a sample event",
        "Exit code: 0 if the receiver accepts the event",
        "--url URL the receiver, such as http://localhost:8080/retell/webhook",
        "--event {call_started",
        "} the event (default: call_ended)",
        "--id ID id of the call or chat",
    ):
        assert words in text


def test_other_receivers_get_a_general_explanation() -> None:
    assert "does not say" in explain(200, "")
    assert "does not say" in explain(200, "something")
    assert "send the event again" in explain(500, "")
    assert "webhook_enabled" in explain(404, "")


def test_events_of_the_emulator_reach_the_receiver(receiver: Any, airflow_api: FakeAirflow) -> None:
    with Emulator(api_key=KEY, clock=Clock(frozen=True), webhook_url=url_of(receiver)) as emulator:
        emulator.add_call(call_id="call_1", call_status="registered", progress=True)
        emulator.clock.advance(60)
        emulator.add_chat(chat_id="chat_1", chat_status="ongoing", progress=True)
        emulator.clock.advance(60)
        emulator.wait_for_webhooks()
    assert [delivery.statuses for delivery in emulator.webhooks] == [[204]] * 6
    payloads = [event["extra"] for event in airflow_api.events]
    events = [(payload["event"], record_id) for payload in payloads for record_id, _ in records_in(payload)]
    assert events == [
        ("call_ended", "call_1"),
        ("call_analyzed", "call_1"),
        ("chat_ended", "chat_1"),
        ("chat_analyzed", "chat_1"),
    ]


@pytest.mark.slow
def test_the_module_can_be_run(receiver: Any, tmp_path: Path) -> None:
    connection = json.dumps({"conn_type": "retell", "password": KEY})
    done = subprocess.run(
        [sys.executable, "-m", "airflow_provider_retell.webhook", "send", "--url", url_of(receiver)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "AIRFLOW_CONN_RETELL_DEFAULT": connection},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "204 created" in done.stdout
