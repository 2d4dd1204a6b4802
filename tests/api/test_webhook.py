"""The signature and the events of Retell's webhooks, compared with the code of Retell's SDK."""

from __future__ import annotations

import hmac
import json
import time
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from airflow_provider_retell.api.event_payload import (
    event_name,
    event_payload,
    noun_of,
    parse_event_payload,
    records_in,
)
from airflow_provider_retell.api.records.nouns import NOUNS, Noun
from airflow_provider_retell.api.webhook import clock_offset, is_signed, signed_at
from airflow_provider_retell.api.webhook import sign as sign_at

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

webhook_auth = pytest.importorskip("retell.lib.webhook_auth")

KEY = "key_abc"
BODIES = [
    b"",
    b"{}",
    '{"event":"call_ended","call":{"note":"Zo\u00eb \u2603"}}'.encode(),
    b'{"a": "' + b"x" * 100_000 + b'"}',
]


class TestSignature:
    @pytest.mark.parametrize(
        "template",
        [
            "V={v},D={d}",
            "v={v},d={D}",
            " v={v},d={d}",
            "v={v},d={d} ",
            "v={v},d={d}\n",
            "v={v}, d={d}",
            "v=0{v},d={d}",
            "v=-{v},d={d}",
            "v=+{v},d={d}",
            "v=1e{v},d={d}",
            "v=\u0661{v},d={d}",
            "v={v},d={d}0",
            "v={v},d=0x{d}",
            "v={v},d={d},v={v},d={d}",
            "d={d},v={v}",
            "v={v}",
            "d={d}",
            "",
        ],
    )
    def test_any_other_format_is_invalid(self, template: str) -> None:
        timestamp, digest = webhook_auth.symmetric["sign"]("{}", KEY)[2:].split(",d=")
        assert is_signed(b"{}", f"v={timestamp},d={digest}", KEY, time.time())
        header = template.format(v=timestamp, d=digest, D=digest.upper())
        assert not is_signed(b"{}", header, KEY, time.time())

    @pytest.mark.parametrize("body", BODIES, ids=len)
    def test_own_signature_is_that_of_the_sdk(self, body: bytes, mocker: MockerFixture) -> None:
        mocker.patch.object(webhook_auth.time, "time", return_value=1_763_836_100.123)
        assert sign_at(body, KEY, 1_763_836_100.123) == webhook_auth.symmetric["sign"](body.decode(), KEY)

    def test_offset_of_a_signature_is_positive_in_the_future(self) -> None:
        timestamp = signed_at(sign_at(b"{}", KEY, 1_000.5))
        assert timestamp == 1_000_500
        assert clock_offset(timestamp, 900) == 100.5
        assert clock_offset(timestamp, 1_100) == -99.5

    def test_digest_is_compared_in_constant_time(self, mocker: MockerFixture) -> None:
        compare = mocker.patch.object(hmac, "compare_digest", return_value=True)
        assert is_signed(b"{}", f"v={int(time.time() * 1000)},d={'0' * 64}", KEY, time.time())
        assert compare.call_count == 1


class TestEvent:
    @pytest.mark.parametrize("noun", NOUNS)
    @pytest.mark.parametrize(
        "body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"call": {}}', b'{"event": 3}', b"[" * 100_000]
    )
    def test_body_that_is_not_an_event_has_no_name(self, body: bytes, noun: Noun) -> None:
        assert event_name(body) is None
        with pytest.raises(ValidationError):
            event_payload(body, noun)

    @pytest.mark.parametrize("noun", NOUNS)
    @pytest.mark.parametrize(
        "record", ["null", "[]", "{}", '{"NOUN_id": "a"}', '{"NOUN_id": 3, "NOUN_status": "ended"}']
    )
    def test_event_without_a_call_or_chat_has_no_payload(self, record: str, noun: Noun) -> None:
        body = ('{"event": "NOUN_ended", "NOUN": ' + record + "}").replace("NOUN", noun).encode()
        assert event_name(body) == f"{noun}_ended"
        with pytest.raises(ValidationError):
            event_payload(body, noun)

    def test_event_of_a_call_is_no_event_of_a_chat(self) -> None:
        call = {"call_id": "a", "call_status": "ended", "chat_id": "a", "chat_status": "ended"}
        body = json.dumps({"event": "chat_ended", "call": call}).encode()
        assert event_payload(body, "call")["calls"]
        with pytest.raises(ValidationError):
            event_payload(body, "chat")

    @pytest.mark.parametrize("noun", NOUNS)
    def test_malformed_field_that_is_not_needed_loses_no_event(self, noun: Noun) -> None:
        record = {
            f"{noun}_id": "a",
            f"{noun}_status": "ended",
            "end_timestamp": 1763836100123.5,
            "direction": ["inbound"],
            "metadata": "text",
            f"{noun}_analysis": {"in_voicemail": "unknown"},
            f"{noun}_cost": {"product_costs": {}},
            "agent_version": 1.5,
        }
        payload = event_payload(json.dumps({"event": f"{noun}_ended", noun: record}).encode(), noun)
        assert parse_event_payload(payload) == payload
        ((record_id, summary),) = records_in(payload)
        assert record_id == "a"
        known = {name: value for name, value in summary.items() if value is not None}
        assert known == {f"{noun}_id": "a", f"{noun}_status": "ended", "end_timestamp": 1763836100123}

    @pytest.mark.parametrize(
        ("event", "noun"),
        [("call_ended", "call"), ("chat_ended", "chat"), ("transcript_updated", "call"), ("", "call")],
    )
    def test_name_of_an_event_shows_the_kind_of_its_record(self, event: str, noun: Noun) -> None:
        assert noun_of(event) == noun
