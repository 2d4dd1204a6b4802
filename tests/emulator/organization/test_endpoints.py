"""GET /get-concurrency and GET /get-api-key-info."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Connect, Make, Send

FROM, TO = "+14155550100", "+14155550123"


def test_the_key_info_has_the_organization_and_the_name_of_the_key(emulator: Emulator, send: Send) -> None:
    emulator.add_key("key_ro", permissions={"history": "read"}, name="Reader")
    assert send(emulator, "GET", "/get-api-key-info", key="key_ro").json == {
        "org_id": "org_default",
        "org_name": "default",
        "api_key_name": "Reader",
    }


def test_the_key_info_can_be_refused(emulator: Emulator, send: Send) -> None:
    emulator.add_key("key_blind", api_key_info=False)
    assert send(emulator, "GET", "/get-api-key-info", key="key_blind").status == 403
    assert send(emulator, "GET", "/get-concurrency", key="key_blind").status == 200


def test_the_sdk_reads_the_identity_of_each_organization(
    emulator: Emulator, client: Retell, connect: Connect
) -> None:
    other = emulator.add_organization("Agency", custom_attributes=("attr_x",), concurrency=3)
    if not hasattr(client, "identity"):
        pytest.skip("this SDK cannot read its identity")
    assert client.identity.retrieve().org_name == "default"
    assert connect(emulator, other.api_key).identity.retrieve().org_name == "Agency"


def test_the_concurrency_counts_live_calls_of_all_types(make: Make, send: Send, connect: Connect) -> None:
    emulator = make(concurrency=25)
    emulator.add_call(call_status="ongoing", call_type="web_call")
    emulator.add_call(call_status="ended")
    client = connect(emulator)
    for _ in range(24):
        client.call.create_phone_call(from_number=FROM, to_number=TO)
    with pytest.raises(retell.RateLimitError, match="Concurrency"):
        client.call.create_phone_call(from_number=FROM, to_number=TO)
    shown = client.concurrency.retrieve()
    assert (shown.current_concurrency, shown.concurrency_limit, shown.base_concurrency) == (25, 25, 20)
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
