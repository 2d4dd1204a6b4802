"""The operator that exports calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.operators.data_interval import window_of, within
from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context


By = Literal["end_timestamp", "start_timestamp"]

# Analyses are late. By start time, a call of two hours, which is Retell's limit, must be exported again after its end.
_OVERLAP = {"end_timestamp": 30 * 60.0, "start_timestamp": 150 * 60.0}


class ListCallsOperator(LoopOperator):
    """Export the calls of the run's data interval, or all calls that match a filter, to a file.

    The file is JSON lines or Parquet. The task streams the calls and writes the file atomically: a failed task leaves
    no partial file. The file contains private data: phone numbers and metadata, and transcripts with ``whole_calls``.
    Limit it with ``fields``.

    ::

        from airflow_provider_retell.operators import ListCallsOperator

        ListCallsOperator(
            task_id="export",
            path="s3://bucket/calls/{{ data_interval_start | ds }}.jsonl",
            fields=["call_status", "duration_ms", "metadata"],
        )

    The task returns a *manifest*, a dict with these keys:

    - ``path``: the path of the file.
    - ``calls``: the number of calls in it.
    - ``not_analyzed``: the number of these calls without an analysis.
    - ``vanished``: the number of calls that were deleted during the export.
    - ``malformed``: the number of calls that do not match Retell's documentation. They are exported unchanged.
    - ``cost_cents``: the sum of their costs, in US cents.
    - ``calls_without_cost``: the number of calls that the sum does not cover, because Retell returned no cost.
    - ``window``: the first and the last epoch millisecond of the export, or None.
    - ``requests``: the number of requests, including retries.
    - ``seconds``: the duration of the export, and ``waited_seconds``: how long the quota delayed requests.
    - ``schema_version``: 1.

    Retell cannot list the calls that changed since a given time. A call changes when it ends, and again when its
    analysis is complete. Each run therefore also exports calls from before its interval, and a call can be in two
    files: load the files in order with ``call_id`` as the key. In Airflow 3, a cron expression as ``schedule`` gives
    runs no data interval; use ``CronDataIntervalTimetable``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/read_export.html
    - API: https://docs.retellai.com/api-references/list-calls

    :param path: a local path or a URL that ends in ``.jsonl``, ``.ndjson`` or ``.parquet`` (templated). Parquet needs
        pyarrow.
    :param path_conn_id: the Airflow connection of the storage (templated). Default: the storage's default connection.
    :param filter_criteria: the conditions that calls must meet, in the form of the API: a dict, or a template that
        renders to a JSON object (templated). Default: no conditions.
    :param by: the timestamp that must be in the data interval: ``"end_timestamp"`` (default) or ``"start_timestamp"``.
        None ignores the interval and uses ``filter_criteria`` only.
    :param overlap: how long before the interval the export begins, in seconds or as a timedelta. Default: 30 minutes,
        or 2 hours 30 minutes by ``start_timestamp``, because a call lasts up to 2 hours.
    :param without_metadata_key: exports only calls whose metadata lacks this key. Default: all.
    :param whole_calls: True to read each call separately, with its transcript; costs one more request per call.
    :param fields: the fields to keep, in addition to ``call_id``. Default: all. Transcripts need ``whole_calls``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :raises AirflowFailException: if a retry cannot help: invalid input, or a run without a data interval.
    """

    template_fields: Sequence[str] = ("path", "path_conn_id", "filter_criteria", "retell_conn_id")
    template_fields_renderers = {"filter_criteria": "json"}  # noqa: RUF012 - Airflow's form
    # May contain phone numbers and metadata values.
    masked_fields: Sequence[str] = ("filter_criteria",)

    def __init__(
        self,
        *,
        path: str,
        path_conn_id: str | None = None,
        filter_criteria: Mapping[str, Any] | str | XComArg | None = None,
        by: By | None = "end_timestamp",
        overlap: float | timedelta | None = None,
        without_metadata_key: str | None = None,
        whole_calls: bool = False,
        fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.one_of("by", by, (*get_args(By), None))
        checks.flag(whole_calls=whole_calls)
        checks.text(without_metadata_key=without_metadata_key)
        if checks.is_literal(path):
            from airflow_provider_retell.export.formats import check_suffix

            check_suffix(path)
        if fields is not None:
            from airflow_provider_retell.api.calls.fields import check_fields

            checks.text_list("fields", fields)
            check_fields(fields, whole_calls)
        overlap = _OVERLAP.get(by or "", 0.0) if overlap is None else overlap
        self.path = path
        self.path_conn_id = path_conn_id
        self.filter_criteria = filter_criteria
        self.by = by
        self.overlap = checks.in_seconds("overlap", overlap)
        self.without_metadata_key = without_metadata_key
        self.whole_calls = whole_calls
        self.fields = fields

    def work(self, context: Context) -> dict[str, Any]:
        """Write the file and return the manifest."""
        window = self._window(context)
        try:
            manifest = self.run_loop(self._export(self._criteria(window)))
        except asyncio.CancelledError:
            raise RetellError(
                "Stopped on request. Run the task again. It exports all calls from the beginning"
            ) from None
        return manifest | {"window": window}

    async def _export(self, criteria: Mapping[str, Any]) -> dict[str, Any]:
        from airflow_provider_retell.export.exporter import export
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        async with RetellAsyncHook(self.retell_conn_id) as hook:
            return await export(
                hook,
                as_text(unmask(self.path), "path"),
                conn_id=self.path_conn_id,
                filter_criteria=criteria or None,
                whole_calls=self.whole_calls,
                fields=self.fields,
            )

    def _window(self, context: Context) -> list[int] | None:
        """Return the first and the last millisecond of the export, or None for no limits."""
        if self.by is None:
            return None
        return window_of(
            context, self.overlap, "To export without an interval, set by=None and filter_criteria"
        )

    def _criteria(self, window: list[int] | None) -> dict[str, Any]:
        criteria = dict(self.rendered("filter_criteria", as_object) or {})
        if window is not None:
            criteria = within(criteria, str(self.by), window, "or set by=None")
        if self.without_metadata_key is not None:
            missing = {"type": "present", "op": "np", "key": self.without_metadata_key}
            conditions = criteria.get("metadata") or []
            if not isinstance(conditions, (list, tuple)):
                raise RetellInputError(
                    "filter_criteria.metadata must be a list of conditions, for example "
                    "[{'type': 'string', 'op': 'eq', 'key': 'tier', 'value': 'gold'}]"
                )
            criteria["metadata"] = [*conditions, missing]
        return criteria
