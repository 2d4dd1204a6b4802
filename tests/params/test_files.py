"""Parameters whose values are in files."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.params.test_cases import as_test_cases
from airflow_provider_retell.params.text_file import TextFile


def test_text_is_read_with_the_connection_of_the_storage(private_memory: Any) -> None:
    private_memory.pipe("/bucket/prompt.md", "Grüße".encode())
    assert TextFile("memory://bucket/prompt.md", "private_storage").read() == "Grüße"


@pytest.mark.parametrize("name", ["a.json", "*.json"])
def test_test_cases_are_read_with_the_connection_of_the_storage(private_memory: Any, name: str) -> None:
    private_memory.pipe("/bucket/cases/a.json", b'[{"name": "Books"}]')
    for value in (f"memory://bucket/cases/{name}", [f"memory://bucket/cases/{name}"]):
        assert list(as_test_cases(value, "test_cases", "private_storage")) == [{"name": "Books"}]
