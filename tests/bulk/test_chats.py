"""BulkUpdateChatOperator: where it differs from calls."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from contact_runs import outcomes_of

from airflow_provider_retell.bulk import FailedRows
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import BulkUpdateChatOperator

run = functools.partial(outcomes_of, BulkUpdateChatOperator)


def test_chats_are_read_by_page_compared_and_updated(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_chats([f"chat_{n}" for n in range(1500)], metadata={"tier": "gold"})
    rows = [{"chat_id": f"chat_{n}", "tier": "gold" if n % 500 else "silver"} for n in range(1500)]
    counts, lines, error = run(tmp_path, rows=rows)
    assert (counts, error) == ({"updated": 3, "unchanged": 1497}, None)
    assert (emulator.count("list-chats"), emulator.count("update-chat")) == (2, 3)
    assert list(lines[0]) == ["row", "chat_id", "outcome", "reason", "changed", "task_run", "try"]
    assert run(tmp_path, rows=rows)[0] == {"unchanged": 1500}
    assert emulator.count("update-chat") == 3


def test_custom_attributes_are_compared(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_chats(["a", "b"], custom_attributes={"attr_tier": "gold"})
    rows = [{"chat_id": "a", "t": "gold"}, {"chat_id": "b", "t": "silver"}]
    counts, lines, _ = run(tmp_path, rows=rows, custom_attribute_columns={"t": "attr_tier"})
    assert counts == {"updated": 1, "unchanged": 1}
    assert lines[1]["changed"] == ["custom_attributes.attr_tier"]
    counts, _, _ = run(tmp_path, rows=rows, custom_attribute_columns={"t": "attr_tier"})
    assert counts == {"unchanged": 2}


@pytest.mark.parametrize("semantics", ["merge", "replace"])
def test_other_custom_attributes_are_kept(emulator: Emulator, tmp_path: Path, semantics: str) -> None:
    emulator.options.chats.custom_attributes_semantics = semantics
    emulator.organization.custom_attributes.add("attr_other")
    emulator.add_chats(["a"], custom_attributes={"attr_tier": "gold", "attr_other": 7})
    rows = [{"chat_id": "a", "t": "silver"}]
    counts, lines, _ = run(tmp_path, rows=rows, custom_attribute_columns={"t": "attr_tier"})
    assert (counts, lines[0]["changed"]) == ({"updated": 1}, ["custom_attributes.attr_tier"])
    assert emulator.chats["a"]["custom_attributes"] == {"attr_tier": "silver", "attr_other": 7}


def test_every_outcome_names_the_chat(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_chats(["changes", "strict"])
    emulator.add_chat(chat_id="ongoing", chat_status="ongoing")
    rows = [
        {"chat_id": "changes", "tier": "gold"},
        {"chat_id": "ongoing", "tier": "gold"},
        {"chat_id": "missing", "tier": "gold"},
        {"chat_id": "strict", "keeps": "everything_except_pii"},
        {"chat_id": "changes", "tier": "silver"},
        {"chat_id": "whole", "chat_status": "ended", "agent_id": "agent_1"},
    ]
    counts, lines, error = run(tmp_path, rows=rows, data_storage_setting_column="keeps")
    assert counts == {"updated": 2, "not_found": 1, "invalid": 3}
    assert lines[2]["reason"] == "the API key's organization has no such chat"
    assert lines[4]["reason"] == "an earlier row has the same chat id: row 1"
    assert "data_storage_setting" in lines[3]["reason"]
    assert lines[5]["reason"].startswith("the row is a whole chat, as ListChatsOperator exports it")
    assert "3 invalid, 1 not_found" in str(error)


def test_failed_rows_of_an_earlier_run_are_repeated(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_chats(["a", "b"])
    rows = [{"chat_id": "a", "n": 1}, {"chat_id": "b", "n": 1}, {"chat_id": "a", "n": 2}]
    emulator.faults.add(Fault.status(400), route="update-chat", chat_id="b", times=0)
    counts, _, _ = run(tmp_path, rows=rows)
    assert counts == {"updated": 1, "invalid": 1, "failed": 1}
    emulator.faults.clear()
    again = FailedRows(rows, report_path=str(tmp_path / "report.jsonl"))
    counts, lines, _ = run(tmp_path, "again.jsonl", rows=again)
    # All rows of "a" are repeated, because one of them was a duplicate.
    assert counts == {"updated": 1, "unchanged": 1, "invalid": 1}
    assert lines[2]["reason"] == "an earlier row has the same chat id: row 1"
    # Only the duplicate is left.
    counts, _, _ = run(
        tmp_path, "third.jsonl", rows=FailedRows(rows, report_path=str(tmp_path / "again.jsonl"))
    )
    assert counts == {"unchanged": 1, "invalid": 1}


def test_only_missing_chats_can_be_tolerated(emulator: Emulator, tmp_path: Path) -> None:
    assert run(tmp_path, rows=[{"chat_id": "missing", "n": 1}], tolerate=["not_found"])[2] is None
    with pytest.raises(ValueError, match="data_storage_setting must be"):
        BulkUpdateChatOperator(task_id="a", rows=[], data_storage_setting="everything_except_pii")
