"""The operator that exports chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.operators.list_records import ListRecordsOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.operators.list_records import By


class ListChatsOperator(ListRecordsOperator):
    """Export the chats of the run's data interval, or all chats that match a filter, to a file.

    The twin of :class:`~airflow_provider_retell.operators.ListCallsOperator`: JSON lines or Parquet, streamed and
    written atomically. The file contains private data. Limit it with ``fields``.

    ::

        from airflow_provider_retell.operators import ListChatsOperator

        ListChatsOperator(
            task_id="export",
            path="s3://bucket/chats/{{ data_interval_start | ds }}.jsonl",
            fields=["chat_status", "metadata"],
        )

    The task returns a *manifest* with the keys of ``ListCallsOperator``, but ``chats`` in place of ``calls``,
    ``chats_without_cost`` in place of ``calls_without_cost``, and with ``without_metadata_key`` also ``skipped``: the
    number of chats that the task read and did not export, because their metadata has the key.

    Load the files in order with ``chat_id`` as the key, because a chat can be in two files.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/list-chats

    :param path: a local path or a URL that ends in ``.jsonl``, ``.ndjson`` or ``.parquet`` (templated). Parquet needs
        pyarrow.
    :param path_conn_id: the Airflow connection of the storage (templated). Default: the storage's default connection.
    :param filter_criteria: the conditions that chats must meet, in the form of the API: a dict, or a template that
        renders to a JSON object (templated). Default: no conditions.
    :param by: the timestamp that must be in the data interval: ``"end_timestamp"`` (default) or ``"start_timestamp"``.
        None ignores the interval and uses ``filter_criteria`` only.
    :param overlap: how long before the interval the export begins, in seconds or as a timedelta. Default: 30 minutes,
        or 24 hours by ``start_timestamp``. Retell documents no limit for the duration of a chat.
    :param without_metadata_key: exports only chats whose metadata lacks this key. Default: all. Retell cannot filter
        chats by metadata, so the task lists all chats of the interval, one request per 1,000, and skips those that have
        the key.
    :param whole_chats: True to read each chat separately, with its transcript; costs one more request per chat.
    :param fields: the fields to keep, in addition to ``chat_id``. Default: all. Transcripts need ``whole_chats``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input, or a run without a data interval.
    """

    noun: ClassVar[Noun] = "chat"
    default_overlap: ClassVar[Mapping[str, float]] = {
        "end_timestamp": 30 * 60.0,
        "start_timestamp": 24 * 3600.0,
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
        whole_chats: bool = False,
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
            whole=whole_chats,
            fields=fields,
            **kwargs,
        )
        self.whole_chats = whole_chats
