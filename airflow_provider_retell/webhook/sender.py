"""Send a signed sample event to a webhook receiver, as Retell would."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from airflow_provider_retell.api.event_payload import noun_of
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.api.webhook import sign
from airflow_provider_retell.hooks.command_line import UsageError, add_connection_arguments, settings_from
from airflow_provider_retell.webhook.app import RESULT_HEADER

EVENTS = (
    "call_started",
    "call_ended",
    "call_analyzed",
    "chat_started",
    "chat_ended",
    "chat_analyzed",
)

_SAMPLES: dict[Noun, dict[str, Any]] = {
    "call": {
        "call_type": "phone_call",
        "agent_version": 0,
        "direction": "outbound",
        "from_number": "+14155550100",
        "to_number": "+14155550123",
    },
    "chat": {"chat_type": "api_chat", "version": 0},
}

TIMEOUT_SECONDS = 10.0
"""Retell waits as long for a response."""

_RESULTS = {
    "created": "Airflow has created the asset event.",
    "duplicate": "Airflow has the asset event of this call or chat and event already.",
    "ignored": (
        "The receiver ignores this event: it is not in [retell] webhook_events, or the asset of its kind is not set: "
        "[retell] webhook_asset for calls, webhook_chat_asset for chats."
    ),
    "invalid": "The receiver does not accept this as an event of a call or chat.",
    "failed": "The receiver could not create the asset event: see the log of the API server.",
}

_STATUSES = {
    401: (
        "The receiver rejects the signature. Check that its connection ([retell] webhook_retell_conn_id) has the same "
        "API key, that both clocks are right, and that no proxy changes the body or removes X-Retell-Signature"
    ),
    404: "Nothing receives webhooks there: check the URL and [retell] webhook_enabled, and restart the API server",
    503: "The receiver could not read the API key of its connection: see the log of the API server",
}


def sample(event: str, record_id: str, now: float) -> bytes:
    """Return the body of an event of a call or chat that never took place.

    :param now: the time in epoch seconds.
    """
    noun, now_ms = noun_of(event), int(now * 1000)
    record: dict[str, Any] = {
        f"{noun}_id": record_id,
        "agent_id": "agent_of_a_test_event",
        f"{noun}_status": "ongoing" if event.endswith("_started") else "ended",
        "start_timestamp": now_ms - 60_000,
        **_SAMPLES[noun],
    }
    if not event.endswith("_started"):
        record |= {"end_timestamp": now_ms, "transcript": "Agent: This is a test event.\n"}
        if noun == "call":
            record |= {"duration_ms": 60_000, "disconnection_reason": "user_hangup"}
    if event.endswith("_analyzed"):
        record[f"{noun}_analysis"] = {f"{noun}_summary": "A test event.", f"{noun}_successful": True}
    return json.dumps({"event": event, noun: record}).encode()


def send(url: str, body: bytes, api_key: str) -> tuple[int, str]:
    """Send an event once.

    :return: the status, and the result that the receiver reports, or ``""``.
    :raises UsageError: if there is no response.
    """
    headers = {"Content-Type": "application/json", "X-Retell-Signature": sign(body, api_key, time.time())}
    try:
        response = requests.post(
            url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise UsageError(f"no response from {url} ({type(error).__name__})") from None
    return response.status_code, response.headers.get(RESULT_HEADER, "")


def explain(status: int, result: str) -> str:
    """Return a sentence about a response, and the next step if it is an error."""
    if result in _RESULTS:
        return _RESULTS[result]
    if 200 <= status < 300:
        return "The receiver has accepted the event. It does not say what it did with it."
    return f"{_STATUSES.get(status, 'Retell would send the event again')}."


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    result = argparse.ArgumentParser(
        prog="python -m airflow_provider_retell.webhook",
        description="Test a webhook receiver without waiting for a call or chat.",
    )
    commands = result.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "send",
        help="sign a sample event and post it",
        description="Sign a sample event with the API key of a connection and post it to a receiver. The call or chat "
        "in it does not exist. Exit code: 0 if the receiver accepts the event, 1 if it does not, 2 if nothing was sent "
        "or there was no response.",
    )
    command.add_argument(
        "--url", required=True, help="the receiver, such as http://localhost:8080/retell/webhook"
    )
    add_connection_arguments(command)
    command.add_argument(
        "--event", choices=EVENTS, default="call_ended", help="the event (default: call_ended)"
    )
    command.add_argument(
        "--id",
        metavar="ID",
        help="id of the call or chat in the event (default: a new one, so that it is no duplicate)",
    )
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    args = parser().parse_args(arguments)
    noun = noun_of(args.event)
    record_id = args.id or f"{noun}_test_{secrets.token_hex(12)}"
    try:
        if urlsplit(args.url).scheme not in ("http", "https"):
            raise UsageError(f"--url must be an http or https URL, not {args.url!r}")
        api_key = settings_from(args).api_key
        status, result = send(args.url, sample(args.event, record_id, time.time()), api_key)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{args.event} of {noun} {record_id}: {status}{f' {result}' if result else ''}\n")
    sys.stdout.write(f"{explain(status, result)}\n")
    return int(not 200 <= status < 300)
