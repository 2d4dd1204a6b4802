"""Operators on one call."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.operators.base import WaitingOperator, check_flags, linked_call_id
from airflow_provider_retell.operators.sealed import SealedField, as_bool, as_object

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.filters import DataStorageSetting
    from airflow_provider_retell.api.request import Procedure
    from airflow_provider_retell.api.update import Updated

__all__ = ["UpdateCallOperator"]

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

    metadata = SealedField()
    custom_attributes = SealedField()

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
            # This sends nothing yet, but refuses what cannot be sent: now, not after the wait.
            next(self._update(call_id))
            self.wait_for(call_id, "ended")
        return self.after_wait(context, call_id)

    def after_wait(self, context: Any, call_id: str) -> dict[str, Any]:
        """Update the call, which has ended by now if the task waited for that."""
        updated = self.hook.run(self._update(call_id))
        self._report(updated)
        return self._result(updated)

    def _update(self, call_id: str) -> Procedure[Updated]:
        from airflow_provider_retell.api.update import careful_update

        return careful_update(
            call_id,
            metadata=as_object(self.metadata, f"call {call_id}: metadata"),
            data_storage_setting=self._setting(),
            custom_attributes=as_object(self.custom_attributes, f"call {call_id}: custom_attributes"),
            mode=self.metadata_mode,
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

    def _report(self, updated: Updated) -> None:
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

    def _result(self, updated: Updated) -> dict[str, Any]:
        outcome: dict[str, Any] = {"updated": updated.sent, "written": list(updated.written)}
        if self.return_value == "call":
            return updated.call.model_dump(mode="json", exclude_none=True) | outcome
        result = updated.call.slim() | outcome
        if self.return_value == "metadata":
            result["metadata"] = dict(updated.call.metadata or {})
        return result
