"""API keys, their permissions and their organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import retell

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Connect, Send

FROM, TO = "+14155550100", "+14155550101"


@pytest.mark.usefixtures("v3_sdk")
def test_a_restricted_key_may_use_its_groups_only(emulator: Emulator, connect: Connect) -> None:
    emulator.add_key("key_ro", permissions={"history": "read"})
    emulator.add_key("key_dial", permissions={"call": "edit", "history": "none"})
    emulator.add_call(call_id="call_1")
    reader, dialer = connect(emulator, "key_ro"), connect(emulator, "key_dial")
    assert reader.call.retrieve("call_1").call_id == "call_1"
    assert reader.call.list().items
    for attempt in (
        lambda: reader.call.update("call_1", metadata={}),
        lambda: reader.call.delete("call_1"),
        lambda: reader.call.create_phone_call(from_number=FROM, to_number=TO),
        lambda: dialer.call.retrieve("call_1"),
    ):
        with pytest.raises(retell.PermissionDeniedError) as caught:
            attempt()
        assert caught.value.response.json() == {"status": "error", "message": "Forbidden"}
    assert dialer.call.create_phone_call(from_number=FROM, to_number=TO).to_number == TO


def test_a_revoked_key_gets_401(emulator: Emulator, send: Send) -> None:
    emulator.add_key("key_old")
    assert send(emulator, "GET", "/get-concurrency", key="key_old").status == 200
    emulator.revoke_key("key_old")
    assert send(emulator, "GET", "/get-concurrency", key="key_old").status == 401
    with pytest.raises(ValueError, match="no such API key") as caught:
        emulator.revoke_key("key_old")
    assert "key_old" not in str(caught.value)


def test_an_invalid_key_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="no such permission"):
        emulator.add_key("key_x", permissions={"history": "write"})
    with pytest.raises(ValueError, match="exists already") as caught:
        emulator.add_key(emulator.api_key)
    assert emulator.api_key not in str(caught.value)
    with pytest.raises(ValueError, match="unknown organization 'other'"):
        emulator.add_key("key_x", organization="other")


def test_a_second_organization_of_the_same_name_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="already"):
        emulator.add_organization("default")
