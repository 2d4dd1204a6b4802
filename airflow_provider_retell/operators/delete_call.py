"""The operator that deletes a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.operators.call_base import CallOperator
from airflow_provider_retell.operators.delete_record import DeleteRecordOperator

if TYPE_CHECKING:
    from airflow.sdk import XComArg


class DeleteCallOperator(DeleteRecordOperator, CallOperator):
    """Delete a call and all its data at Retell. This cannot be undone.

    ::

        from airflow_provider_retell.operators import DeleteCallOperator

        DeleteCallOperator(task_id="delete", call_id="{{ params.call_id }}", dry_run="{{ params.dry_run }}")

    The task returns ``call_id`` and ``deleted``, and in a dry run also ``would_delete``. By default a call that does
    not exist is no error, so that a retry succeeds. Retell cannot distinguish a deleted call from a call of another
    organization: use ``missing_ok=False`` if the connection could have the wrong API key.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/erase.html
    - API: https://docs.retellai.com/api-references/delete-call

    :param call_id: the call (templated).
    :param missing_ok: False to fail if the call does not exist (templated). The task then reads the call first. A retry
        also fails if an earlier try deleted the call and crashed.
    :param dry_run: True to read the call and delete nothing (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises CallNotEndedError: if Retell refuses to delete the call because it has not ended.
    :raises AirflowFailException: if Retell refuses to delete the call for another reason, or the call does not exist
        and ``missing_ok`` is False.
    """

    template_fields: Sequence[str] = ("call_id", "missing_ok", "dry_run", "retell_conn_id")

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        missing_ok: bool | str | XComArg = True,
        dry_run: bool | str | XComArg = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(call_id=call_id, missing_ok=missing_ok, dry_run=dry_run, **kwargs)
