"""Lines of text files."""

from __future__ import annotations

import io

import pytest

from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.files.text_lines import TextLines


@pytest.mark.parametrize(("before", "number"), [("", 1), ("a\nb\n", 3)])
def test_line_with_half_a_character_is_named(before: str, number: int) -> None:
    lines = TextLines(io.BytesIO(before.encode("utf-16-le") + b"c"), "utf-16-le", "\n")
    assert "".join(next(lines) for _ in range(number - 1)) == before
    with pytest.raises(SourceError, match=f"^line {number} is not utf-16-le$"):
        next(lines)
