"""Update a call and verify the result, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.choices import DataStorageSetting, MetadataMode
from airflow_provider_retell.api.records.update import UpdateResult, prepare_update
from airflow_provider_retell.api.request import Flow


def update_call_checked(
    call_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
    custom_attributes: Mapping[str, Any] | None = None,
    metadata_mode: MetadataMode = "merge",
    remove_metadata_keys: Iterable[str] = (),
    clear_metadata: bool = False,
    confirm_custom_attributes: bool = False,
) -> Flow[UpdateResult[Call]]:
    """Update a call that has ended, send only the differences, and verify Retell's response.

    The log has the names of the fields that were written, and never their values.

    ``merge`` and ``fill`` read the call first, and send no update if the call already has all values. Retell has no
    conditional update, so a change that another client makes between the two requests may be lost. ``replace`` sends
    the update without reading. If Retell rejects an update with 400 or 422, the call is read to find the reason.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/update_call.html

    ::

        result = hook.update_call_checked("call_abc", metadata={"tier": "gold"})

    :param call_id: the call.
    :param metadata: the metadata keys to set; up to 50 kB of JSON in all.
    :param data_storage_setting: the data that Retell stores; it can only be made stricter, and never undone.
    :param custom_attributes: values by the id of an attribute that is defined in Retell's dashboard.
    :param metadata_mode: ``"merge"`` (default) keeps other keys, ``"fill"`` sets only missing keys, ``"replace"``
        deletes all other keys.
    :param remove_metadata_keys: metadata keys to delete.
    :param clear_metadata: True to delete all metadata.
    :param confirm_custom_attributes: True to confirm custom attributes with list-calls if the response does not show
        them; one request per attribute.
    :raises RetellInputError: if the input is invalid.
    :raises CallNotEndedError: if the call has not ended.
    :raises StorageConflictError: if the data storage setting would become less restrictive.
    :raises UpdateMismatchError: if the updated call does not have the values that were sent.
    """
    prepared = prepare_update(
        CALLS,
        call_id,
        metadata=metadata,
        data_storage_setting=data_storage_setting,
        custom_attributes=custom_attributes,
        metadata_mode=metadata_mode,
        remove_metadata_keys=remove_metadata_keys,
        clear_metadata=clear_metadata,
        confirm_custom_attributes=confirm_custom_attributes,
    )
    return (yield from prepared.apply())
