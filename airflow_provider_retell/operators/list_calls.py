"""The operator that writes calls to files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_object

if TYPE_CHECKING:
    from airflow.sdk import XComArg

__all__ = ["ListCallsOperator"]

By = Literal["end_timestamp", "start_timestamp"]

# Analyses come late; and by its start, a call of the two hours that Retell allows has to be seen again after its end.
_OVERLAP = {"end_timestamp": timedelta(minutes=30), "start_timestamp": timedelta(hours=2, minutes=30)}


class ListCallsOperator(LoopOperator):
    """Write the calls of the run's data interval, or of any filter, to a file; returns a manifest.

    The file is JSONL or Parquet (with pyarrow), streamed, and there whole or not at all. It holds customers' data:
    phone numbers, metadata, with ``whole_calls`` transcripts. ``fields`` keeps what you need. The manifest holds
    ``path``, ``calls``, ``not_analyzed`` (calls whose analysis was not there yet), ``vanished`` (deleted while they
    were read), ``malformed`` (not as Retell documents calls; written as they came), ``window`` (epoch milliseconds),
    ``requests``, ``seconds``, ``waited_seconds``, ``schema_version``.

    Retell has no "changed since": a call changes when it ends and again when it is analyzed. So the window reaches
    back by ``overlap`` before the data interval, and a call may stand in two files: use ``call_id`` as the key and
    let the later file win. In Airflow 3 a cron expression as ``schedule`` gives runs no interval;
    ``CronDataIntervalTimetable`` does.

    API: https://docs.retellai.com/api-references/list-calls

    :param path: where to write; ends in ``.jsonl``, ``.ndjson`` or ``.parquet`` (templated).
    :param path_conn_id: the Airflow connection to that storage, if its default will not do (templated).
    :param filter_criteria: further conditions, all of which must hold, in the API's form: a dict, or text that renders
        to a JSON object (templated).
    :param by: what puts a call into the interval: ``"end_timestamp"`` (default) or ``"start_timestamp"``; None uses
        ``filter_criteria`` alone, whatever the data interval.
    :param overlap: how far to reach back before the interval, for analyses that came late. 30 minutes; 2 hours and 30
        minutes by ``start_timestamp``, since a call may last two hours after that.
    :param without_metadata_key: only calls whose metadata lacks this key: the rows that are still to be enriched.
    :param whole_calls: True to read each call by itself, for its transcript: one more request per call.
    :param fields: the fields to keep; all if not given. ``call_id`` is always kept. Transcripts need ``whole_calls``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("path", "path_conn_id", "filter_criteria", "retell_conn_id")
    template_fields_renderers = {"filter_criteria": "json"}  # noqa: RUF012 - Airflow's form
    operator_extra_links = ()
    masked_fields: Sequence[str] = ("filter_criteria",)  # may contain phone numbers and metadata values

    def __init__(
        self,
        *,
        path: str,
        path_conn_id: str | None = None,
        filter_criteria: Mapping[str, Any] | str | XComArg | None = None,
        by: By | None = "end_timestamp",
        overlap: timedelta | None = None,
        without_metadata_key: str | None = None,
        whole_calls: bool = False,
        fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(whole_calls=whole_calls)
        if by is not None and by not in get_args(By):
            raise ValueError(f"by is {' or '.join(get_args(By))}, not {by!r}")
        if isinstance(fields, str):
            raise ValueError("fields is a list of names, not text")
        if fields is not None:
            from airflow_provider_retell.api.calls.fields import check_fields

            check_fields(fields, whole_calls)
        overlap = _OVERLAP.get(by or "", timedelta(0)) if overlap is None else overlap
        if overlap < timedelta(0):
            raise ValueError("overlap is 0 or more")
        self.path = path
        self.path_conn_id = path_conn_id
        self.filter_criteria = filter_criteria
        self.by = by
        self.overlap = overlap
        self.without_metadata_key = without_metadata_key
        self.whole_calls = whole_calls
        self.fields = fields

    def work(self, context: Any) -> dict[str, Any]:
        """Write the file."""
        window = self._window(context)
        try:
            manifest = self.run_loop(self._export(self._criteria(window)))
        except asyncio.CancelledError:
            from airflow_provider_retell.api.errors import RetellError

            raise RetellError("Stopped on request. Run the task again: it writes the whole file") from None
        return manifest | {"window": window}

    async def _export(self, criteria: Mapping[str, Any]) -> dict[str, Any]:
        from airflow_provider_retell.export.exporter import export
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        async with RetellAsyncHook(self.retell_conn_id) as hook:
            return await export(
                hook,
                self.path,
                conn_id=self.path_conn_id,
                filter_criteria=criteria or None,
                whole_calls=self.whole_calls,
                fields=self.fields,
            )

    def _window(self, context: Any) -> list[int] | None:
        """Return the first and the last millisecond, or None for no window."""
        if self.by is None:
            return None
        start: datetime | None = context.get("data_interval_start")
        end: datetime | None = context.get("data_interval_end")
        if start is None or end is None or start == end:
            from airflow_provider_retell.api.errors import RetellInputError

            raise RetellInputError(
                "this run has no data interval. Airflow 3 gives one only to runs of a timetable that has intervals: "
                "schedule=CronDataIntervalTimetable('0 * * * *', timezone='UTC'), say, where schedule='0 * * * *' has "
                "none; and not to runs that were started by hand without a date or by an asset. Or set by=None and a "
                "filter_criteria of your own"
            )
        return [_milliseconds(start - self.overlap), _milliseconds(end) - 1]

    def _criteria(self, window: list[int] | None) -> dict[str, Any]:
        from airflow_provider_retell.api.errors import RetellInputError

        criteria = dict(self.rendered("filter_criteria", as_object) or {})
        if window is not None:
            if self.by in criteria:
                raise RetellInputError(
                    f"filter_criteria has {self.by}, which the data interval sets: set by=None"
                )
            criteria[str(self.by)] = {"type": "range", "op": "bt", "value": window}
        if self.without_metadata_key is not None:
            lacking = {"type": "present", "op": "np", "key": self.without_metadata_key}
            conditions = criteria.get("metadata") or []
            if not isinstance(conditions, (list, tuple)):
                raise RetellInputError(
                    "filter_criteria.metadata must be a list of conditions, such as "
                    "[{'type': 'string', 'op': 'eq', 'key': 'tier', 'value': 'gold'}]"
                )
            criteria["metadata"] = [*conditions, lacking]
        return criteria


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
