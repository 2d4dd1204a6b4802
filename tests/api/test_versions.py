"""References to versions of agents."""

from __future__ import annotations

import pytest

from airflow_provider_retell.api.versions import version_number


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (3, 3),
        ("3", 3),
        (None, None),
        ("latest", "latest"),
        ("v3", "v3"),
        ("", ""),
        ("-1", "-1"),
        ("\u00b2", "\u00b2"),  # a digit for Python, but not a number
    ],
)
def test_the_text_of_a_number_is_a_number(reference: int | str | None, expected: int | str | None) -> None:
    assert version_number(reference) == expected
