"""Operators for one call that has ended."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.choices import UNTIL, DataStorageSetting, MetadataMode, Until
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.operators.call_base import CallOperator, WaitingOperator
from airflow_provider_retell.operators.delete_record import DeleteRecordOperator
from airflow_provider_retell.operators.record import ReadRecordOperator, UpdateRecordOperator
from airflow_provider_retell.operators.rerun_analysis import RerunAnalysisOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_bool

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context


class UpdateCallOperator(UpdateRecordOperator, CallOperator, WaitingOperator):
    """Update the metadata, the storage setting or the custom attributes of a call that has ended.

    By default, the task reads the call, sends only the differences, and verifies Retell's response. It logs a warning
    for anything that the response cannot confirm. Values are neither logged nor shown, only the keys.

    ::

        from airflow_provider_retell.operators import UpdateCallOperator

        UpdateCallOperator(
            task_id="update",
            call_id="{{ params.call_id }}",
            metadata={"tier": "{{ ti.xcom_pull('score')['tier'] }}"},
        )

    The task returns the call's ids, status, settings, times, cost and metadata keys, ``updated`` (False if nothing was
    sent) and ``written`` (the names of the fields that were written).

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/update_call.html
    - API: https://docs.retellai.com/api-references/update-call

    :param call_id: the call (templated).
    :param metadata: the metadata keys to set, up to 50,000 bytes of JSON: a dict, or a template that renders to a JSON
        object (templated). Decimals, dates, UUIDs and numpy scalars are converted as described in
        :mod:`airflow_provider_retell.api.encode`.
    :param data_storage_setting: the data that Retell stores: ``everything``, ``everything_except_pii`` or
        ``basic_attributes_only`` (templated). It can only be made stricter, and never undone. An empty value leaves it
        as it is.
    :param custom_attributes: texts, numbers and booleans by the id of an attribute, which must be defined in Retell's
        dashboard (templated).
    :param metadata_mode: ``"merge"`` (default) keeps other keys, ``"fill"`` sets only missing keys. Both read the call
        first, so they cost one more request, and another update between the two requests can be lost. ``"replace"``
        sends one request, without reading, and deletes all other keys. Empty ``metadata`` is an error with it.
    :param remove_metadata_keys: metadata keys to delete.
    :param clear_metadata: True to delete all metadata.
    :param confirm_custom_attributes: True to confirm custom attributes with list-calls if the response does not show
        them, one request per attribute: Retell drops attributes with unknown ids without an error.
    :param wait_until: None (default) updates the call at once, and fails if it has not ended. ``"ended"``,
        ``"analyzed"`` or ``"transfer_ended"`` waits for that state first, see ``CallSensor``. ``deferrable``,
        ``poll_interval`` (default: 30 seconds), ``wait_timeout`` (default: 2 hours) and ``max_poll_failures`` (default:
        10) configure the wait, and must not be set without it. The update itself always runs in a worker.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``, see ``CallSensor``.
        Requires that ``wait_until`` is ``"analyzed"`` or None. Default: none.
    :param opt_out_sensitive_data_storage: deprecated, a former parameter of the API. True means
        ``data_storage_setting="basic_attributes_only"``, False leaves the setting as it is (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input (nothing was sent), an unknown call, a storage
        setting that is less strict than the call's, or a response that differs from the values sent.
    :raises CallNotEndedError: if the call has not ended, and ``wait_until`` is None.
    :raises WaitTimeoutError: if the wait reached ``wait_timeout``.
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
    masked_fields: Sequence[str] = ("metadata", "custom_attributes")

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        data_storage_setting: DataStorageSetting | str | XComArg | None = None,
        custom_attributes: Mapping[str, Any] | str | XComArg | None = None,
        metadata_mode: MetadataMode = "merge",
        remove_metadata_keys: Sequence[str] = (),
        clear_metadata: bool = False,
        confirm_custom_attributes: bool = False,
        wait_until: Until | None = None,
        analysis_fields: Sequence[str] = (),
        opt_out_sensitive_data_storage: bool | str | XComArg | None = None,
        retell_conn_id: str = "retell_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            call_id=call_id,
            metadata=metadata,
            data_storage_setting=data_storage_setting,
            custom_attributes=custom_attributes,
            metadata_mode=metadata_mode,
            remove_metadata_keys=remove_metadata_keys,
            clear_metadata=clear_metadata,
            others={"opt_out_sensitive_data_storage": opt_out_sensitive_data_storage},
            retell_conn_id=retell_conn_id,
            **kwargs,
        )
        checks.one_of("wait_until", wait_until, (*UNTIL, None))
        checks.flag(confirm_custom_attributes=confirm_custom_attributes)
        self.check_wait(wait_until)
        self.check_effect(
            "custom_attributes",
            custom_attributes is not None,
            confirm_custom_attributes=confirm_custom_attributes,
        )
        if opt_out_sensitive_data_storage is not None:
            warnings.warn(
                "opt_out_sensitive_data_storage is no longer part of Retell's API. Use "
                "data_storage_setting='basic_attributes_only'",
                DeprecationWarning,
                stacklevel=2,
            )
        self.confirm_custom_attributes = confirm_custom_attributes
        self.wait_until = wait_until
        wait = {} if wait_until is None else {"wait_until": wait_until}
        self.analysis_fields = checks.analysis_fields(analysis_fields, **wait)
        self.opt_out_sensitive_data_storage = opt_out_sensitive_data_storage

    def work(self, context: Context) -> dict[str, Any]:
        """Update the call, after the wait if there is one."""
        call_id = self.selected_id(context)
        if self.wait_until is not None:
            self.prepare(call_id)  # raises before the wait if the input is invalid
            self.wait_for_call(call_id, self.wait_until)
        return self.after_wait(context, call_id)

    def after_wait(
        self, context: Context, record_id: str, deadline: float | None = None, **_state: Any
    ) -> dict[str, Any]:
        """Update the call and return its slim form."""
        return self.update(record_id, self.analysis_fields)

    def update_options(self, where: str) -> dict[str, Any]:
        """Return the arguments of ``prepare_update`` for the rendered parameters."""
        options = super().update_options(where)
        options["data_storage_setting"] = self._storage_setting(options["data_storage_setting"], where)
        return options | {"confirm_custom_attributes": self.confirm_custom_attributes}

    def _storage_setting(self, setting: DataStorageSetting | None, where: str) -> DataStorageSetting | None:
        if not self.rendered("opt_out_sensitive_data_storage", as_bool, where):
            return setting
        if setting not in (None, "basic_attributes_only"):
            raise RetellInputError(
                f"{where}opt_out_sensitive_data_storage=True means data_storage_setting='basic_attributes_only', but "
                "another setting is given. Remove opt_out_sensitive_data_storage"
            )
        return "basic_attributes_only"


class GetCallOperator(ReadRecordOperator, CallOperator):
    """Read one call, and optionally write it to a file.

    ::

        from airflow_provider_retell.operators import GetCallOperator

        GetCallOperator(task_id="read", call_id="{{ params.call_id }}", path="s3://bucket/{{ params.call_id }}.json")

    The task returns the call's ids, status, settings, times, cost and metadata keys, and ``path`` if it wrote a file.
    ``call_cost`` has ``cents`` (US cents) and ``seconds`` (billed time), if Retell knows them.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/read_export.html
    - API: https://docs.retellai.com/api-references/get-call

    :param call_id: the call (templated).
    :param path: the file for the whole call as JSON, a local path or any URL of Airflow's ``ObjectStoragePath``
        (templated). The file has the transcript, the links and the phone numbers, but not the access token.
    :param path_conn_id: the Airflow connection of that storage (templated). Default: the storage's default connection.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``: ``call_successful``,
        ``in_voicemail``, ``user_sentiment``, and keys of ``custom_analysis_data``. A field that the analysis lacks is
        None. The values are stored in Airflow's database. Default: none.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if there is no such call, or the input is invalid.
    """

    template_fields: Sequence[str] = ("call_id", "path", "path_conn_id", "retell_conn_id")

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        path: str | XComArg | None = None,
        path_conn_id: str | None = None,
        analysis_fields: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            call_id=call_id,
            path=path,
            path_conn_id=path_conn_id,
            analysis_fields=analysis_fields,
            **kwargs,
        )


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


class RerunCallAnalysisOperator(CallOperator, RerunAnalysisOperator):
    """Analyze a call again, with the latest draft of its agent. Retell charges for it and sends no webhook.

    ::

        from airflow_provider_retell.operators import RerunCallAnalysisOperator

        RerunCallAnalysisOperator(task_id="analyze_again", call_id="{{ params.call_id }}")

    The request is sent at most once, because it costs money. If it is unknown whether Retell processed it, this try and
    all later ones fail. So does a later try with another ``call_id``. The task returns the call's slim form from
    Retell's response. Retell does not document whether the response already has the new analysis, so read the call
    later.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/live_calls.html
    - API: https://docs.retellai.com/api-references/rerun-call-analysis

    :param call_id: the call (templated).
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the analysis is not run again.
        ``"resend"``: it is run again, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if Retell rejects the request, or it is unknown whether Retell processed it.
    """
