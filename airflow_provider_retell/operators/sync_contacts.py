"""The operator that syncs contacts with rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.bulk.column_names import names_by_column
from airflow_provider_retell.operators.contact_rows import ContactRowsOperator
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.resource import Resource
    from airflow_provider_retell.bulk.row_limits import OnEmpty
    from airflow_provider_retell.hooks.retell import RetellAsyncHook
    from airflow_provider_retell.operators.rows_base import AnyRows

ContactNulls = Literal["skip", "write"]


class SyncContactsOperator(ContactRowsOperator):
    """Create and update contacts from rows, and send only the differences. Contacts are matched by phone number.

    The task reads all contacts, compares every row, and then sends. It sends nothing if the source fails, has too few
    rows or lacks a column that the task names, if Retell's list of contacts is incomplete, if the run would clear a
    do-not-call mark without ``allow_clearing_do_not_call=True``, or if it would update more contacts than
    ``max_changed_ratio`` allows.
    Contacts without a row are not changed.

    ::

        from airflow_provider_retell.bulk import SqlRows
        from airflow_provider_retell.operators import SyncContactsOperator

        sync = SyncContactsOperator(
            task_id="sync",
            rows=SqlRows("warehouse", "select phone, first_name, plan, opted_out from customers"),
            phone_number_column="phone",
            columns={"first_name": "first_name", "plan": "plan"},
            do_not_call_column="opted_out",
        )

    The manifest in XCom, the XCom ``failures`` and the report are those of
    :class:`~airflow_provider_retell.operators.BulkUpdateCallOperator`. The outcomes are ``created`` (``would_create``
    in a dry run), ``updated`` (``would_update``), ``unchanged``, ``not_found`` (the contact was deleted during the
    run), ``invalid`` and ``failed``. Rows are named by their number and the ``contact_id``. Phone numbers and values
    are never in logs, XCom or the report.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/contacts.html
    - API: https://docs.retellai.com/api-references/update-contact

    :param rows: :class:`~airflow_provider_retell.bulk.SqlRows`, :class:`~airflow_provider_retell.bulk.FileRows`, a
        list of dicts, a DataFrame of pandas or polars, an Arrow table, a template that renders to such a list, or a
        function that returns a list or a table, or yields dicts (templated).
    :param phone_number_column: the column with the phone number in E.164 format, for example ``+14155550123``. Other
        formats are invalid. A second row with the same number is invalid. Default: ``phone_number``.
    :param columns: the columns with ``first_name``, ``last_name`` or custom fields: a list, or a dict from column to
        field. Custom fields must be defined in Retell's CRM configuration. Default: none.
    :param do_not_call_column: the column with the do-not-call mark: true, false, 1, 0 or the same as text. A null
        keeps the mark, and other values make the row invalid. Default: marks are not changed.
    :param tag_columns: the columns that set a tag (true) or remove it (false): a list of columns that are named as the
        tags' ids, or a dict from column to the id of the tag. Other tags are kept: the contact is read again right
        before its tags are changed. Default: none.
    :param allow_clearing_do_not_call: True to allow the run to clear do-not-call marks. Requires
        ``do_not_call_column``.
    :param max_changed_ratio: the largest share of the contacts in Retell that the run may update, 0 to 1. New contacts
        do not count. Default: 0.5.
    :param nulls: the meaning of nulls in custom fields: ``"skip"`` (default) keeps the contact's value, ``"write"``
        clears it. Nulls and blank text in other columns never change anything.
    :param column_names: the names of the columns, if rows are tuples or lists, as the output of Airflow's SQL
        operators.
    :param dry_run: True to send no changes (templated).
    :param report_path: a file for one line of JSON per row (``row``, ``contact_id``, ``outcome``, ``reason``,
        ``changed``), as for calls (templated). Default: no report.
    :param report_conn_id: the Airflow connection of the report's storage (templated). Default: the storage's default
        connection.
    :param concurrency: the largest number of changes that are sent at the same time, 1 to 256. Default: 16.
    :param quota: the quota of each route except list-contacts, for example ``"100/10"`` for 100 requests in 10 seconds.
        Default: the connection's.
    :param max_failed_rows: the largest number of failed rows with which the task succeeds. Default: 0, or no limit if
        ``max_failed_ratio`` is set.
    :param max_failed_ratio: the largest share of failed rows with which the task succeeds, 0 to 1. Default: no limit.
    :param min_rows: the smallest number of rows. If there are fewer, nothing is sent. Default: 0.
    :param on_empty: the result of a task whose source has no rows: ``"fail"`` (default), ``"skip"`` or ``"success"``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises RowsFailedError: if the source has too few rows, or if more rows failed than the task allows, and some of
        them may succeed in a retry.
    :raises BulkStoppedError: if Retell or the network failed for 50 rows in a row, Retell asked for a long wait,
        the report could not be written, or the task was stopped. A retry continues.
    :raises AirflowFailException: if a retry cannot help, for example if the run would clear do-not-call marks.
    """

    def __init__(
        self,
        *,
        rows: AnyRows,
        phone_number_column: str = "phone_number",
        columns: Mapping[str, str] | Sequence[str] = (),
        do_not_call_column: str | None = None,
        tag_columns: Mapping[str, str] | Sequence[str] = (),
        allow_clearing_do_not_call: bool = False,
        max_changed_ratio: float = 0.5,
        nulls: ContactNulls = "skip",
        column_names: Sequence[str] | None = None,
        dry_run: bool | str | XComArg = False,
        report_path: str | XComArg | None = None,
        report_conn_id: str | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        min_rows: int = 0,
        on_empty: OnEmpty = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rows=rows,
            phone_number_column=phone_number_column,
            columns=columns,
            do_not_call_column=do_not_call_column,
            tag_columns=tag_columns,
            allow_clearing_do_not_call=allow_clearing_do_not_call,
            max_changed_ratio=max_changed_ratio,
            column_names=column_names,
            dry_run=dry_run,
            report_path=report_path,
            report_conn_id=report_conn_id,
            concurrency=concurrency,
            quota=quota,
            max_failed_rows=max_failed_rows,
            max_failed_ratio=max_failed_ratio,
            min_rows=min_rows,
            on_empty=on_empty,
            **kwargs,
        )
        checks.one_of("nulls", nulls, get_args(ContactNulls))
        self.tag_columns = tag_columns
        self.nulls = nulls

    def resource(self, hook: RetellAsyncHook) -> Resource[Any, Any]:
        """Return the sync of contacts."""
        from airflow_provider_retell.bulk.contacts.columns import ContactColumns, check_source
        from airflow_provider_retell.bulk.contacts.contact_sync import ContactSync

        check_source(self._source)
        columns = ContactColumns(
            phone_number=self.phone_number_column,
            fields=names_by_column("columns", self.columns) or {},
            do_not_call=self.do_not_call_column,
            tags=names_by_column("tag_columns", self.tag_columns) or {},
            clears_nulls=self.nulls == "write",
        )
        return ContactSync(
            hook,
            columns,
            allow_clearing=self.allow_clearing_do_not_call,
            max_changed_ratio=self.max_changed_ratio,
        )
