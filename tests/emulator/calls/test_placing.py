"""POST /v2/create-phone-call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Make, Reply, Send

FROM, TO = "+14155550100", "+14155550123"

Place = Callable[..., "Reply"]


@pytest.fixture
def place(send: Send) -> Place:
    """Return a function that places a call with additional fields, which the SDK may not know."""

    def ask(emulator: Emulator, **body: Any) -> Reply:
        return send(emulator, "POST", "/v2/create-phone-call", {"from_number": FROM, "to_number": TO, **body})

    return ask


def test_a_placed_call_has_the_fields_of_the_request(client: Retell) -> None:
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
    assert placed.retell_llm_dynamic_variables == {"name": "Ann"}


def test_an_idempotency_key_holds_for_an_hour(emulator: Emulator, place: Place) -> None:
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


def test_an_idempotency_key_holds_at_the_concurrency_limit(make: Make, place: Place) -> None:
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
def test_a_refused_call_is_not_placed(make: Make, body: dict[str, Any], message: str, place: Place) -> None:
    emulator = make(do_not_call=("+14155550199",))
    reply = place(emulator, **body)
    assert reply.status == 400
    assert message in reply.json["message"]
    assert emulator.placed == []


def test_the_number_to_call_is_required(emulator: Emulator, send: Send) -> None:
    reply = send(emulator, "POST", "/v2/create-phone-call", {"from_number": FROM})
    assert reply.status == 400
    assert "must have required property 'to_number'" in reply.json["message"]
    assert emulator.placed == []


def test_the_e164_check_and_the_do_not_call_check_are_optional(make: Make, place: Place) -> None:
    emulator = make(do_not_call=("+14155550199",))
    assert place(emulator, to_number="sip:desk", ignore_e164_validation=True).status == 201
    assert place(emulator, to_number="+14155550199").status == 201
