"""The operator that deletes a call."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import CallNotEndedError, NotFoundError, UnprocessableError
from airflow_provider_retell.operators.base import CallOperator
from airflow_provider_retell.params.rendered import as_bool

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import Call

log = logging.getLogger(__name__)


class DeleteCallOperator(CallOperator):
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
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
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
        super().__init__(call_id=call_id, **kwargs)
        self.missing_ok = missing_ok
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]

    def work(self, context: Context) -> dict[str, Any]:
        """Delete the call."""
        call_id = self.linked_call_id(context)
        missing_ok, dry_run = as_bool(self.missing_ok, "missing_ok"), as_bool(self.dry_run, "dry_run")
        if dry_run:
            return self._plan(call_id, missing_ok)
        if not missing_ok:
            self.hook.get_call(call_id)
        try:
            self.hook.delete_call(call_id)
        except NotFoundError as error:
            self._check_missing(call_id, error)
            # With missing_ok=False the call existed: the response to the first request was lost.
            deleted = not missing_ok
        else:
            deleted = True
        log.info("Call %s: %s", call_id, "deleted" if deleted else "does not exist, nothing to delete")
        return {"call_id": call_id, "deleted": deleted}

    def _plan(self, call_id: str, missing_ok: bool) -> dict[str, Any]:
        result = {"call_id": call_id, "deleted": False, "would_delete": False}
        try:
            call = self.hook.get_call(call_id)
        except NotFoundError as error:
            if not (missing_ok and error.detail):
                raise
            log.info("Dry run: call %s does not exist, nothing to delete", call_id)
            return result
        log.info("Dry run: would delete call %s, which is %s", call_id, call.call_status)
        return result | {"would_delete": True, "call_status": call.call_status}

    def _check_missing(self, call_id: str, refusal: NotFoundError) -> None:
        """Raise unless the call does not exist. Retell's 422 can also mean that it refuses to delete the call."""
        try:
            call = self.hook.get_call(call_id)
        except NotFoundError as missing:
            # Retell always gives a reason. A response without one is the page of another server.
            if not missing.detail:
                raise
            return
        raise _refused(call, refusal) from refusal


def _refused(call: Call, refusal: NotFoundError) -> CallNotEndedError | UnprocessableError:
    response = f"{refusal.status}: {refusal.detail.rstrip('.')}" if refusal.detail else f"{refusal.status}"
    if not call.has_ended:
        return CallNotEndedError(
            f"call {call.call_id} is {call.call_status}, and Retell refused to delete it ({response}). Wait until it "
            "has ended, with CallSensor or a retry, or hang up with StopCallOperator"
        )
    return UnprocessableError(
        f"call {call.call_id} still exists: Retell refused to delete it ({response}). Check the call in Retell's "
        "dashboard, then run this task again",
        status=refusal.status,
        detail=refusal.detail,
    )
