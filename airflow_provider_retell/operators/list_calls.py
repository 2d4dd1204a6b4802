"""The operator that exports calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.operators.list_records import ListRecordsOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.operators.list_records import By


class ListCallsOperator(ListRecordsOperator):
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
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input, or a run without a data interval.
    """

    noun: ClassVar[Noun] = "call"
    # Analyses are late. By start time, a call of two hours, which is Retell's limit, must be exported again after its
    # end.
    default_overlap: ClassVar[Mapping[str, float]] = {
        "end_timestamp": 30 * 60.0,
        "start_timestamp": 150 * 60.0,
    }

    def __init__(
        self,
        *,
        path: str | XComArg,
        path_conn_id: str | None = None,
        filter_criteria: Mapping[str, Any] | str | XComArg | None = None,
        by: By | None = "end_timestamp",
        overlap: float | timedelta | None = None,
        without_metadata_key: str | None = None,
        whole_calls: bool = False,
        fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            path=path,
            path_conn_id=path_conn_id,
            filter_criteria=filter_criteria,
            by=by,
            overlap=overlap,
            without_metadata_key=without_metadata_key,
            whole=whole_calls,
            fields=fields,
            **kwargs,
        )
        self.whole_calls = whole_calls
