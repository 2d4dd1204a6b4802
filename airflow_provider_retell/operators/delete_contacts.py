"""The operator that deletes contacts by phone number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.operators.rows_base import BulkOperator
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.resource import Resource
    from airflow_provider_retell.bulk.row_limits import OnEmpty
    from airflow_provider_retell.hooks.retell import RetellAsyncHook
    from airflow_provider_retell.operators.rows_base import AnyRows


class DeleteContactsOperator(BulkOperator):
    """Delete the contacts with the phone numbers of rows. This cannot be undone.

    The task finds the contact of each row, with one request per row, and then deletes. It deletes nothing if the source
    fails or lacks the column. A contact that is marked as do-not-call is not deleted without
    ``allow_deleting_do_not_call=True``, because the mark would be deleted with it. Calls and chats with the contact are
    not deleted.

    ::

        from airflow_provider_retell.bulk import SqlRows
        from airflow_provider_retell.operators import DeleteContactsOperator

        DeleteContactsOperator(
            task_id="erase",
            rows=SqlRows("warehouse", "select phone from erasure_requests where day = '{{ ds }}'"),
            phone_number_column="phone",
            dry_run="{{ params.dry_run }}",
        )

    The manifest in XCom, the XCom ``failures`` and the report are those of
    :class:`~airflow_provider_retell.operators.BulkUpdateCallOperator`. The outcomes are ``deleted`` (``would_delete``
    in a dry run), ``not_found``, ``invalid``, ``conflict`` (marked as do-not-call) and ``failed``. Rows are named by
    their number and the ``contact_id``. Phone numbers are never in logs, XCom or the report.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/contacts.html
    - API: https://docs.retellai.com/api-references/delete-contact

    :param rows: :class:`~airflow_provider_retell.bulk.SqlRows`, :class:`~airflow_provider_retell.bulk.FileRows`, a
        list of dicts, a DataFrame of pandas or polars, an Arrow table, a template that renders to such a list, or a
        function that returns a list or a table, or yields dicts (templated).
    :param phone_number_column: the column with the phone number in E.164 format, for example ``+14155550123``. Other
        formats are invalid. A second row with the same number is invalid. Default: ``phone_number``.
    :param allow_deleting_do_not_call: True to delete contacts that are marked as do-not-call too. Default: False, which
        also keeps contacts that are marked during the run: each is read again right before its deletion.
    :param missing_ok: False to count rows without a contact as failed. A retry also fails if an earlier try deleted
        contacts. Default: True, so that a retry succeeds.
    :param column_names: the names of the columns, if rows are tuples or lists, as the output of Airflow's SQL
        operators.
    :param dry_run: True to find the contacts and delete nothing (templated).
    :param report_path: a file for one line of JSON per row (``row``, ``contact_id``, ``outcome``, ``reason``), as for
        calls (templated). Default: no report.
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :param concurrency: the largest number of contacts that are deleted at the same time, 1 to 256. Default: 16.
    :param quota: the quota of each route except list-contacts, for example ``"100/10"`` for 100 requests in 10 seconds.
        Default: the connection's.
    :param max_failed_rows: the largest number of failed rows with which the task succeeds. Default: 0, or no limit if
        ``max_failed_ratio`` is set.
    :param max_failed_ratio: the largest share of failed rows with which the task succeeds, 0 to 1. Default: no limit.
    :param min_rows: the smallest number of rows. If there are fewer, nothing is deleted. Default: 0.
    :param on_empty: the result of a task whose source has no rows: ``"success"`` (default), ``"skip"`` or ``"fail"``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises RowsFailedError: if the source has too few rows, or if more rows failed than the task allows, and some of
        them may succeed in a retry.
    :raises BulkStoppedError: if Retell or the network failed for 50 rows in a row, Retell asked for a long wait,
        the report could not be written, or the task was stopped. A retry continues.
    :raises AirflowFailException: if a retry cannot help, as for calls.
    """

    def __init__(
        self,
        *,
        rows: AnyRows,
        phone_number_column: str = "phone_number",
        allow_deleting_do_not_call: bool = False,
        missing_ok: bool = True,
        column_names: Sequence[str] | None = None,
        dry_run: bool | str | XComArg = False,
        report_path: str | XComArg | None = None,
        report_conn_id: str | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        min_rows: int = 0,
        on_empty: OnEmpty = "success",
        **kwargs: Any,
    ) -> None:
        checks.flag(allow_deleting_do_not_call=allow_deleting_do_not_call, missing_ok=missing_ok)
        super().__init__(
            rows=rows,
            column_names=column_names,
            dry_run=dry_run,
            report_path=report_path,
            report_conn_id=report_conn_id,
            concurrency=concurrency,
            quota=quota,
            max_failed_rows=max_failed_rows,
            max_failed_ratio=max_failed_ratio,
            tolerate=["not_found"] if missing_ok else [],
            min_rows=min_rows,
            on_empty=on_empty,
            **kwargs,
        )
        checks.text(phone_number_column=phone_number_column)
        self.phone_number_column = self.key_column = phone_number_column
        self.allow_deleting_do_not_call = allow_deleting_do_not_call
        self.missing_ok = missing_ok

    def resource(self, hook: RetellAsyncHook) -> Resource[Any, Any]:
        """Return the deletion of contacts."""
        from airflow_provider_retell.bulk.contacts.columns import check_source
        from airflow_provider_retell.bulk.contacts.deletions import ContactDeletions

        check_source(self._source)
        return ContactDeletions(
            hook,
            self.phone_number_column,
            allow_do_not_call=self.allow_deleting_do_not_call,
        )
