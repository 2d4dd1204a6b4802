"""The number of rows that a task expects."""

from __future__ import annotations

import pytest

from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.bulk.row_limits import RowLimits


@pytest.mark.parametrize(
    ("on_empty", "skips", "advice"),
    [("success", False, ". To skip or fail such a task, set on_empty"), ("skip", True, "")],
)
def test_task_without_rows_succeeds_or_is_skipped(
    on_empty: str, skips: bool, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert RowLimits(on_empty=on_empty).skips(0) is skips  # type: ignore[arg-type]
    assert caplog.messages == [f"The source has no rows{advice}"]


def test_task_without_rows_can_fail() -> None:
    with pytest.raises(
        RowsFailedError, match="^The source has no rows, and on_empty is 'fail'. Check the source$"
    ):
        RowLimits(on_empty="fail").skips(0)


@pytest.mark.parametrize("on_empty", ["success", "skip", "fail"])
def test_task_with_enough_rows_is_not_skipped(on_empty: str, caplog: pytest.LogCaptureFixture) -> None:
    limits = RowLimits(min_rows=3, on_empty=on_empty)  # type: ignore[arg-type]
    limits.check_before(3)
    assert limits.skips(3) is False
    assert caplog.messages == []


def test_too_few_rows_fail_before_and_after_they_are_processed() -> None:
    limits = RowLimits(min_rows=1000)
    with pytest.raises(RowsFailedError) as caught:
        limits.check_before(1)
    assert str(caught.value) == (
        "The source has 1 row, and min_rows is 1,000. Nothing was sent. Check the source"
    )
    with pytest.raises(RowsFailedError) as caught:
        limits.skips(999)
    assert str(caught.value) == (
        "The source has 999 rows, and min_rows is 1,000. All of them were processed. Check the source"
    )


def test_source_without_rows_is_checked_only_at_the_end() -> None:
    # on_empty decides then.
    limits = RowLimits(min_rows=1, on_empty="skip")
    limits.check_before(0)
    assert limits.skips(0)
    with pytest.raises(RowsFailedError, match="The source has no rows, and min_rows is 1"):
        RowLimits(min_rows=1).skips(0)
