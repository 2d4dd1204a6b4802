"""An import of contacts in a real Airflow, and the traces of private values after it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Clock, Emulator
from sandbox import ROOT

pytestmark = pytest.mark.system

NUMBER, NAME = "+491511234510", "Zebra"


def test_an_import_creates_contacts_and_leaves_no_private_values(tmp_path: Path) -> None:
    with Emulator(clock=Clock(speed=100)) as emulator:
        emulator.add_contact_import(seconds=200)
        home = AirflowHome(
            tmp_path, ROOT / "tests/dags", PRIVATE_NUMBER=NUMBER, PRIVATE_NAME=NAME, REPORTS=str(tmp_path)
        )
        home.connect(emulator)
        printed = home.test("import_private_contacts")
        found = {contact["phone_number"]: contact for contact in emulator.contacts.values()}
        assert found.keys() == {f"{NUMBER}{number}" for number in range(3)}, printed
        assert [contact["do_not_call"] for contact in found.values()].count(True) == 1
        assert {contact["first_name"] for contact in found.values()} == {NAME}
        # The other client's import, and one for each file.
        assert len(emulator.contact_imports) == 3
    outcomes = {
        name: [json.loads(line)["outcome"] for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in ("first", "again")
    }
    assert outcomes == {"first": ["created"] * 3, "again": ["unchanged"] * 3}, printed
    assert home.leaks(printed, "4915112345", NAME) == []
