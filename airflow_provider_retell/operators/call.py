"""Operators on one call."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator
from airflow_provider_retell.operators.base import (
    RetellOperator,
    WaitingOperator,
    check_flags,
    linked_call_id,
)
from airflow_provider_retell.params.masked import MaskedField, as_bool, as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.body import DataStorageSetting
    from airflow_provider_retell.api.calls.update import PreparedUpdate, UpdateResult
    from airflow_provider_retell.api.errors import NotFoundError

__all__ = ["DeleteCallOperator", "GetCallOperator", "RerunCallAnalysisOperator", "UpdateCallOperator"]

log = logging.getLogger(__name__)

MetadataMode = Literal["replace", "merge", "fill"]
ReturnValue = Literal["slim", "metadata", "call"]


class UpdateCallOperator(WaitingOperator):
    """Write facts onto a call that has ended: ``PATCH /v2/update-call/{call_id}``.

    The answer is compared with what was asked, and a difference fails the task; what the answer does not show is
    named in a warning. Values of metadata and custom
    attributes are not logged, and "Rendered Templates" shows their keys only.

    API: https://docs.retellai.com/api-references/update-call

    :param call_id: the call (templated).
    :param metadata: a dict, or text that renders to a JSON object; up to 50 kB (templated). Decimal, dates, UUIDs
        and numpy scalars are encoded as :mod:`airflow_provider_retell.api.encode` says.
    :param data_storage_setting: what Retell keeps of the call: ``everything``, ``everything_except_pii`` or
        ``basic_attributes_only`` (templated). It can only be tightened, and never undone.
    :param custom_attributes: values by the id of an attribute that was defined in Retell's dashboard; text, numbers
        and booleans only (templated).
    :param metadata_mode: ``"replace"`` (default) sends exactly one request, as the API defines it. ``"merge"`` reads
        the call, lays the new keys over the present ones (top level only), and sends nothing if nothing would
        change. ``"fill"`` does so for keys that the call lacks. Reading and writing is not atomic. Empty metadata
        changes nothing with these, and is refused with ``"replace"``: what it was made from had nothing, perhaps.
    :param clear_metadata: True to remove all metadata of the call, on purpose: reads it, and sends nothing if there is
        none. In place of ``metadata``, whatever the mode.
    :param confirm_custom_attributes: True to ask list-calls afterwards whether Retell kept the custom attributes,
        which it drops silently if their id is unknown; one request per attribute out of the quota for lists. Off
        by default; if Retell's answer shows the attributes, they are compared anyway.
    :param wait_for_end: True to wait first until the call has ended; ``deferrable``, ``poll_interval`` (30 s),
        ``wait_timeout`` (7200 s) and ``max_poll_failures`` (10) say how. The update itself always runs in the worker.
    :param return_value: what the task returns: ``"slim"`` (default) ids, status, storage setting, times, the names of
        the metadata keys and of what was written; ``"metadata"`` also the call's metadata; ``"call"`` the whole call
        with transcript, links and phone numbers, but without its access token.
    :param opt_out_sensitive_data_storage: the API's former flag. True means
        ``data_storage_setting="basic_attributes_only"``; false changes nothing. Deprecated.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = (
        "call_id",
        "metadata",
        "data_storage_setting",
        "custom_attributes",
        "opt_out_sensitive_data_storage",
        "retell_conn_id",
    )
    template_fields_renderers = {"metadata": "json", "custom_attributes": "json"}  # noqa: RUF012 - Airflow's form

    metadata = MaskedField()
    custom_attributes = MaskedField()

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        data_storage_setting: DataStorageSetting | str | None = None,
        custom_attributes: Mapping[str, Any] | str | XComArg | None = None,
        metadata_mode: MetadataMode = "replace",
        clear_metadata: bool = False,
        confirm_custom_attributes: bool = False,
        wait_for_end: bool = False,
        return_value: ReturnValue = "slim",
        opt_out_sensitive_data_storage: bool | str | None = None,
        retell_conn_id: str = "retell_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(retell_conn_id=retell_conn_id, **kwargs)
        check_flags(
            clear_metadata=clear_metadata,
            confirm_custom_attributes=confirm_custom_attributes,
            wait_for_end=wait_for_end,
        )
        if clear_metadata and metadata is not None:
            raise ValueError("give metadata or clear_metadata, not both")
        for name, value, choices in (
            ("metadata_mode", metadata_mode, get_args(MetadataMode)),
            ("return_value", return_value, get_args(ReturnValue)),
        ):
            if value not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")
        if opt_out_sensitive_data_storage is not None:
            warnings.warn(
                "opt_out_sensitive_data_storage is no longer part of Retell's API: "
                "use data_storage_setting='basic_attributes_only'",
                DeprecationWarning,
                stacklevel=2,
            )
        self.call_id = call_id
        self.metadata = metadata
        self.data_storage_setting = data_storage_setting
        self.custom_attributes = custom_attributes
        self.metadata_mode = metadata_mode
        self.clear_metadata = clear_metadata
        self.confirm_custom_attributes = confirm_custom_attributes
        self.wait_for_end = wait_for_end
        self.return_value = return_value
        self.opt_out_sensitive_data_storage = opt_out_sensitive_data_storage
        self._opts_out = opt_out_sensitive_data_storage is not None

    def work(self, context: Any) -> dict[str, Any]:
        """Update the call and return what ``return_value`` asks for."""
        call_id = linked_call_id(context, self.call_id)
        if self.wait_for_end:
            self._prepare(call_id)  # raises before the wait if the input is invalid
            self.wait_for(call_id, "ended")
        return self.after_wait(context, call_id)

    def after_wait(self, context: Any, call_id: str) -> dict[str, Any]:
        """Update the call, which has ended by now if the task waited for that."""
        updated = self.hook.run(self._prepare(call_id).apply())
        self._report(updated)
        return self._result(updated)

    def _prepare(self, call_id: str) -> PreparedUpdate:
        from airflow_provider_retell.api.calls.update import prepare_update

        return prepare_update(
            call_id,
            metadata=as_object(self.metadata, f"call {call_id}: metadata"),
            data_storage_setting=self._setting(),
            custom_attributes=as_object(self.custom_attributes, f"call {call_id}: custom_attributes"),
            metadata_mode=self.metadata_mode,
            clear_metadata=self.clear_metadata,
            confirm_custom_attributes=self.confirm_custom_attributes,
        )

    def _setting(self) -> Any:
        setting = None if self.data_storage_setting in (None, "", "None") else self.data_storage_setting
        flag = self.opt_out_sensitive_data_storage
        if not self._opts_out or not as_bool(flag, "opt_out_sensitive_data_storage"):
            return setting
        from airflow_provider_retell.api.errors import RetellInputError

        if setting not in (None, "basic_attributes_only"):
            raise RetellInputError(
                "opt_out_sensitive_data_storage=True means data_storage_setting='basic_attributes_only', but another "
                "setting was given: leave the old flag out"
            )
        return "basic_attributes_only"

    def _report(self, updated: UpdateResult) -> None:
        call_id = updated.call.call_id
        if not updated.sent:
            log.info("Call %s: nothing to change, nothing sent", call_id)
            return
        log.info("Call %s: wrote %s", call_id, ", ".join(updated.written))
        if updated.unverified:
            log.warning(
                "Call %s: Retell's answer does not show whether it kept %s",
                call_id,
                ", ".join(updated.unverified),
            )

    def _result(self, updated: UpdateResult) -> dict[str, Any]:
        outcome: dict[str, Any] = {"updated": updated.sent, "written": list(updated.written)}
        if self.return_value == "call":
            return updated.call.model_dump(mode="json", exclude_none=True) | outcome
        result = updated.call.slim() | outcome
        if self.return_value == "metadata":
            result["metadata"] = dict(updated.call.metadata or {})
        return result


class GetCallOperator(RetellOperator):
    """Read one call; returns its slim form (ids, status, settings, times, names of metadata keys).

    :param call_id: the call (templated).
    :param path: where to write the whole call as JSON, transcript and links included but without its access token,
        on any ``ObjectStoragePath`` (templated). The returned dict then has ``path``.
    :param path_conn_id: the Airflow connection to that storage, if its default will not do (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "path", "path_conn_id", "retell_conn_id")

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        path: str | None = None,
        path_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.path = path
        self.path_conn_id = path_conn_id
        self._writes = path is not None

    def work(self, context: Any) -> dict[str, Any]:
        """Read the call."""
        # Native rendering makes None of a template without a value, which does not mean that no file is wanted.
        path = as_text(str(self.path), "path") if self._writes else None
        call = self.hook.get_call(linked_call_id(context, self.call_id))
        if path is None:
            return call.slim()
        from airflow_provider_retell.export.atomic import atomic_write

        atomic_write(path, call.model_dump_json(exclude_none=True).encode(), self.path_conn_id)
        return call.slim() | {"path": path}


class DeleteCallOperator(RetellOperator):
    """Delete a call and all its data at Retell, for good. A call that is gone already counts as done.

    "Gone" is what reading the call says: if Retell refuses to delete a call that is there, the task fails.

    The key of another organization looks like "gone" to Retell, which knows calls by organization: with
    ``missing_ok=False`` a call that is not there fails the task.

    :param call_id: the call (templated).
    :param missing_ok: False to read the call first, and fail if there is none (templated). A retry also fails then, if
        the first try crashed after it had deleted the call.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "missing_ok", "retell_conn_id")

    def __init__(
        self, *, call_id: str | XComArg, missing_ok: bool | str | XComArg = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.missing_ok = missing_ok

    def work(self, context: Any) -> dict[str, Any]:
        """Delete the call; returns ``deleted``: False if it was gone."""
        from airflow_provider_retell.api.errors import NotFoundError

        call_id = linked_call_id(context, self.call_id)
        missing_ok = as_bool(self.missing_ok, "missing_ok")
        if not missing_ok:
            self.hook.get_call(call_id)
        try:
            self.hook.delete_call(call_id)
        except NotFoundError as refusal:
            self._check_gone(call_id, refusal)
            # With missing_ok=False it was there: an answer got lost, and the request was sent again.
            if not missing_ok:
                return {"call_id": call_id, "deleted": True}
            log.info("Call %s: not there (any more)", call_id)
            return {"call_id": call_id, "deleted": False}
        log.info("Call %s: deleted", call_id)
        return {"call_id": call_id, "deleted": True}

    def _check_gone(self, call_id: str, refusal: NotFoundError) -> None:
        """Read the call: Retell answers 422 to an unknown id, and may answer so to what it refuses to delete."""
        from airflow_provider_retell.api.errors import CallNotEndedError, NotFoundError, UnprocessableError

        try:
            call = self.hook.get_call(call_id)
        except NotFoundError as missing:
            if not missing.detail:
                raise  # Retell gives a reason, always: this is another server's page
            return
        says = f" {refusal.status}: {refusal.detail.rstrip('.')}" if refusal.detail else f" {refusal.status}"
        if not call.has_ended:
            raise CallNotEndedError(
                f"call {call_id} is {call.call_status}, and Retell refused to delete it (it answered{says}). Wait for "
                "its end first (CallSensor, or run this task again later), or hang up with StopCallOperator"
            ) from refusal
        raise UnprocessableError(
            f"call {call_id} is still there: Retell refused to delete it (it answered{says}). Look at the call in "
            "Retell's dashboard, then run this task again",
            status=refusal.status,
            detail=refusal.detail,
        ) from refusal


class RerunCallAnalysisOperator(AtMostOnceOperator):
    """Analyze a call again with the agent's latest draft. Retell charges for it and sends no webhook.

    Sent once, as :class:`~airflow_provider_retell.operators.phone_call.CreateBatchCallOperator` does: a try of which it is
    not known whether Retell acted fails the task for good, and so do later tries, since another would pay again.
    Whether Retell answers before or after the analysis is not documented: read the call some time later.

    :param call_id: the call (templated).
    :param on_clear: what a deliberate clear of the task does: ``"skip"`` (default) never pays again, ``"resend"`` does,
        once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "retell_conn_id")

    def __init__(self, *, call_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id

    def work(self, context: Any) -> dict[str, Any]:
        """Ask for the analysis; returns the call's slim form as Retell answered it."""
        from airflow_provider_retell.api.calls.endpoints import rerun_call_analysis

        request = rerun_call_analysis(linked_call_id(context, self.call_id))
        return self.send_once(
            context, request, lambda call: call.slim(), "Look at the call's analysis in Retell's dashboard"
        )
