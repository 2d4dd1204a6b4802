"""The data interval of a run as a condition of list-calls."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError

log = logging.getLogger(__name__)


def window_of(context: Mapping[str, Any], overlap: float, alternative: str) -> list[int]:
    """Return the first and the last millisecond of the run's data interval.

    :param overlap: the seconds before the interval that are part of the window.
    :param alternative: the end of the message for a run without an interval, "To export ..., set ...".
    :raises RetellInputError: if the run has no data interval.
    """
    start: datetime | None = context.get("data_interval_start")
    end: datetime | None = context.get("data_interval_end")
    if start is None or end is None or start == end:
        raise RetellInputError(
            "this run has no data interval. In Airflow 3, only timetables with intervals give runs one, for "
            "example schedule=CronDataIntervalTimetable('0 * * * *', timezone='UTC') in place of "
            "schedule='0 * * * *'. A run that was started by an asset, or by hand without a date, has none. "
            f"{alternative}"
        )
    return [_milliseconds(start) - round(overlap * 1000), _milliseconds(end) - 1]


def within(criteria: Mapping[str, Any], by: str, window: list[int], alternative: str) -> dict[str, Any]:
    """Return *criteria* with the condition that the timestamp *by* is in *window*.

    :param alternative: the end of the message for criteria with another condition, "or set ...".
    :raises RetellInputError: if *criteria* has a condition on the same timestamp.
    """
    if by in criteria:
        raise RetellInputError(
            f"filter_criteria must not have {by}, which the data interval sets. Remove it, {alternative}"
        )
    log.info("Listing with %s from %s to %s: the data interval and its overlap", by, *map(_shown, window))
    return {**criteria, by: {"type": "range", "op": "bt", "value": window}}


def _shown(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(sep=" ", timespec="seconds")


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
