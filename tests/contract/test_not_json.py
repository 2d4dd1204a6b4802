"""A response that is no JSON object confirms nothing about the fields of a record."""

from __future__ import annotations

from typing import Any

import pytest
from contract_account import account, check_account

from airflow_provider_retell.emulator import Fault

CHECKS = {
    "calls.fields_are_declared": "get-call",
    "calls.fields_have_documented_types": "get-call",
    "chats.fields_have_documented_types": "get-chat",
}


@pytest.mark.parametrize("body", [[], '"x"', "<html>hi</html>"], ids=["array", "text", "page"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_read_without_fields_leaves_the_assumption_open(name: str, body: Any) -> None:
    with account() as emulator:
        emulator.faults.add(Fault.status(200, body=body), route=CHECKS[name], times=0)
        finding = check_account(emulator, only=(name,))[name].finding
    assert (finding.verdict, finding.seen) == ("cannot tell", f"{CHECKS[name]}: 200")
