"""When a run logs its progress."""

from __future__ import annotations

import pytest

from airflow_provider_retell.bulk.log_schedule import LogSchedule


@pytest.mark.parametrize(
    ("total", "rows_per_second", "lines"),
    [
        (None, 10, [10, 30, 60, 120, 180, 240, 300]),
        # A tenth is done after 20 s, so a minute is rarer.
        (2_000, 10, [10, 30, 60, 120, 180]),
        # A tenth is done after 100 s, so that is rarer.
        (10_000, 10, [10, 30, 60, 160, 260]),
        # No row is done: a slow query.
        (10_000, 0, [10, 30, 60]),
        (None, 0, [10, 30, 60, 120, 180, 240, 300]),
    ],
)
def test_lines_become_rarer(total: int | None, rows_per_second: int, lines: list[int]) -> None:
    schedule = LogSchedule()
    seconds = 300 if total is None else min(300, total // max(rows_per_second, 1))
    assert [at for at in range(seconds + 1) if schedule.is_due(at, at * rows_per_second, total)] == lines


def test_a_late_check_logs_one_line_and_not_the_lines_it_missed() -> None:
    schedule = LogSchedule()
    assert [at for at in (0, 45, 46, 59, 60, 61, 119, 120) if schedule.is_due(at, 0, None)] == [45, 60, 120]
