"""Base class of the operators that delete a call or a chat."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import (
    BadRequestError,
    CallNotEndedError,
    NotFoundError,
    UnprocessableError,
)
from airflow_provider_retell.api.kinds import kind_of
from airflow_provider_retell.operators.record import RecordOperator
from airflow_provider_retell.params.rendered import as_bool

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.records.models import RecordState

log = logging.getLogger(__name__)


class DeleteRecordOperator(RecordOperator):
    """Base class of the operators that delete a call or a chat. They describe the parameters."""

    def __init__(
        self,
        *,
        missing_ok: bool | str | XComArg = True,
        dry_run: bool | str | XComArg = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.missing_ok = missing_ok
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]

    def work(self, context: Context) -> dict[str, Any]:
        """Delete the call or chat."""
        record_id = self.selected_id(context)
        missing_ok, dry_run = as_bool(self.missing_ok, "missing_ok"), as_bool(self.dry_run, "dry_run")
        if dry_run:
            return self._plan(record_id, missing_ok)
        if not missing_ok:
            self._read(record_id)
        try:
            self.hook.send(kind_of(self.noun).delete(record_id))
        except (BadRequestError, NotFoundError) as error:
            self._check_missing(record_id, error)
            # With missing_ok=False the record existed: the response to the first request was lost.
            deleted = not missing_ok
        else:
            deleted = True
        log.info(
            "%s %s: %s",
            self.noun.title(),
            record_id,
            "deleted" if deleted else "does not exist, nothing to delete",
        )
        return {f"{self.noun}_id": record_id, "deleted": deleted}

    def _read(self, record_id: str) -> RecordState:
        record: RecordState = self.hook.send(kind_of(self.noun).get(record_id))
        return record

    def _plan(self, record_id: str, missing_ok: bool) -> dict[str, Any]:
        result = {f"{self.noun}_id": record_id, "deleted": False, "would_delete": False}
        try:
            record = self._read(record_id)
        except NotFoundError as error:
            if not (missing_ok and error.detail):
                raise
            log.info("Dry run: %s %s does not exist, nothing to delete", self.noun, record_id)
            return result
        log.info("Dry run: would delete %s %s, which is %s", self.noun, record_id, record.status)
        return result | {"would_delete": True, f"{self.noun}_status": record.status}

    def _check_missing(self, record_id: str, refusal: BadRequestError | NotFoundError) -> None:
        """Raise unless the record does not exist. Retell may also refuse to delete one that exists."""
        try:
            record = self._read(record_id)
        except NotFoundError as missing:
            # Retell always gives a reason. JSON without one is the answer of another server.
            if not missing.detail:
                raise
            return
        raise _refused(record, refusal) from refusal


def _refused(
    record: RecordState, refusal: BadRequestError | NotFoundError
) -> CallNotEndedError | UnprocessableError:
    response = f"{refusal.status}: {refusal.detail.rstrip('.')}" if refusal.detail else f"{refusal.status}"
    kind = record.kind
    if not record.has_ended:
        end = "hang up with StopCallOperator" if kind == "call" else "end it with the hook's end_chat"
        return CallNotEndedError(
            f"{kind} {record.record_id} is {record.status}, and Retell refused to delete it ({response}). Wait until "
            f"it has ended, with {kind.title()}Sensor or a retry, or {end}"
        )
    return UnprocessableError(
        f"{kind} {record.record_id} still exists: Retell refused to delete it ({response}). Check the {kind} in "
        "Retell's dashboard, then run this task again",
        status=refusal.status,
        detail=refusal.detail,
    )
