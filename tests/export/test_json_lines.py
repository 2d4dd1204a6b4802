"""Files with one line of JSON per item."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.export.jsonl_writer import write_json_lines

ITEMS = [{"id": "a", "text": "ż"}, {"id": "b"}]


@pytest.mark.parametrize("name", ["report.jsonl", "report.jsonl.gz", "REPORT.JSONL.GZ"])
def test_each_item_is_a_line(tmp_path: Path, name: str) -> None:
    write_json_lines(str(tmp_path / name), ITEMS)
    content = (tmp_path / name).read_bytes()
    lines = (content if name.endswith("l") else gzip.decompress(content)).splitlines(keepends=True)
    assert [json.loads(line) for line in lines] == ITEMS
    assert all(line.endswith(b"\n") for line in lines)


def test_lines_are_written_with_the_connection_of_the_storage(private_memory: Any) -> None:
    write_json_lines("memory://bucket/report.jsonl", ITEMS, "private_storage")
    assert len(private_memory.cat_file("/bucket/report.jsonl").splitlines()) == 2
