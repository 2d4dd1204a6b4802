"""The guard against deletions that are probably a mistake."""

from __future__ import annotations

import pytest

from airflow_provider_retell.api.deletion import check_deleted_ratio
from airflow_provider_retell.api.errors import RetellInputError


@pytest.mark.parametrize(
    ("deleted", "owned", "ratio"), [(0, 0, 0), (0, 3, 0), (1, 2, 0.5), (3, 4, 0.75), (4, 4, 1)]
)
def test_deletions_up_to_the_ratio_are_allowed(deleted: int, owned: int, ratio: float) -> None:
    check_deleted_ratio(deleted, owned, ratio, "test cases", "the files")


@pytest.mark.parametrize(
    ("deleted", "owned", "ratio"), [(1, 1, 0), (1, 100, 0), (51, 100, 0.5), (4, 4, 0.99)]
)
def test_more_deletions_are_rejected(deleted: int, owned: int, ratio: float) -> None:
    with pytest.raises(RetellInputError):
        check_deleted_ratio(deleted, owned, ratio, "test cases", "the files")


def test_message_has_the_numbers_and_the_next_step() -> None:
    with pytest.raises(RetellInputError) as caught:
        check_deleted_ratio(2, 3, 0.5, "test cases of the agent", "test_cases and its files")
    assert caught.value.fault == (
        "2 of the 3 test cases of the agent (67%) would be deleted without a replacement, and max_deleted_ratio is "
        "0.5: check test_cases and its files, or raise max_deleted_ratio for one run"
    )
