"""Numbers in log lines and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_retell.common.wording import counted, duration, listed

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("number", "text"), [(0, "no rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")]
)
def test_a_count_is_grammatical(number: int, text: str) -> None:
    assert counted(number, "row") == text


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ("ab", "a, b"),
        ("abc", "a, b, c"),
        ("abcd", "a, b, c and 1 more"),
        (range(2003), "0, 1, 2 and 2,000 more"),
    ],
)
def test_a_long_list_is_cut(items: Sequence[object], text: str) -> None:
    assert listed(items, 3) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (0.3, "0.3 s"),
        (45, "45 s"),
        (59.4, "59.4 s"),
        (59.99, "1 min"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3599.8, "1 h"),
        (7500, "2 h 5 min"),
        (100_000, "27 h 46 min"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
