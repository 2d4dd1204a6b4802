"""ListChatsOperator: the file, the manifest, and the metadata filter that Retell lacks."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import tasks
from tasks import json_lines

from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators import ListChatsOperator

END = 1_795_258_800_000


def export(path: Path, context: Any = None, **arguments: Any) -> dict[str, Any]:
    task = ListChatsOperator(task_id="a_task", path=str(path), **{"by": None, **arguments})
    if context is not None:
        return task.execute(context)
    return tasks.run_task(task)


def test_the_file_has_listed_chats_and_the_manifest_counts_them(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_chat(chat_id="a", metadata={"tier": "gold"})
    emulator.add_chat(chat_id="b", chat_analysis=None, chat_cost=None)
    path = tmp_path / "chats.jsonl"
    manifest = export(path)
    for name in ("seconds", "waited_seconds"):
        del manifest[name]
    assert manifest == {
        "schema_version": 1,
        "path": str(path),
        "chats": 2,
        "not_analyzed": 1,
        "vanished": 0,
        "malformed": 0,
        "cost_cents": 1.5,
        "chats_without_cost": 1,
        "requests": 1,
        "window": None,
    }
    assert [row["chat_id"] for row in json_lines(path)] == ["a", "b"]
    assert all("transcript" not in row for row in json_lines(path))


def test_the_window_is_the_data_interval_and_its_overlap(emulator: Emulator, tmp_path: Path) -> None:
    end = datetime.fromtimestamp(END / 1000, timezone.utc)
    start = datetime.fromtimestamp(END / 1000 - 3600, timezone.utc)
    for chat_id, at in (("early", END - 3 * 3_600_000), ("late", END), ("within", END - 1)):
        emulator.add_chat(chat_id=chat_id, start_timestamp=at - 60_000, end_timestamp=at)
    path = tmp_path / "chats.jsonl"
    context = {"data_interval_start": start, "data_interval_end": end}
    manifest = export(path, context, by="end_timestamp")
    assert manifest["window"] == [END - 3_600_000 - 1_800_000, END - 1]
    assert [row["chat_id"] for row in json_lines(path)] == ["within"]


@pytest.mark.parametrize("whole", [False, True])
def test_chats_with_the_metadata_key_are_listed_and_skipped(
    emulator: Emulator, tmp_path: Path, whole: bool
) -> None:
    for n in range(5):
        emulator.add_chat(chat_id=f"chat_{n}", metadata={"done": None} if n % 2 else {"other": 1})
    path = tmp_path / "chats.jsonl"
    manifest = export(path, without_metadata_key="done", whole_chats=whole)
    assert (manifest["chats"], manifest["skipped"]) == (3, 2)
    assert [row["chat_id"] for row in json_lines(path)] == ["chat_0", "chat_2", "chat_4"]
    # The others are not read.
    assert emulator.count("get-chat") == (3 if whole else 0)
    assert all(("transcript" in row) == whole for row in json_lines(path))


def test_fields_selects_the_exported_fields(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_chat(chat_id="a", metadata={"tier": "gold"})
    export(tmp_path / "chats.jsonl", fields=["metadata"])
    assert json_lines(tmp_path / "chats.jsonl") == [{"chat_id": "a", "metadata": {"tier": "gold"}}]
    with pytest.raises(ValueError, match=r"no chat has call_id"):
        ListChatsOperator(task_id="a_task", path="x.jsonl", fields=["call_id"])
    with pytest.raises(ValueError, match=r"listed chats have no transcript. Set whole_chats=True"):
        ListChatsOperator(task_id="a_task", path="x.jsonl", fields=["transcript"])


def test_parquet_has_the_fields_of_chats(emulator: Emulator, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    emulator.add_chat(chat_id="a", collected_dynamic_variables={"x": "y"})
    export(tmp_path / "chats.parquet")
    (row,) = parquet.read_table(tmp_path / "chats.parquet").to_pylist()
    assert (row["chat_id"], row["chat_status"]) == ("a", "ended")
    assert json.loads(row["other"])["collected_dynamic_variables"] == {"x": "y"}
