"""Update a chat and verify the result, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_retell.api.chats.kind import CHATS
from airflow_provider_retell.api.chats.models import Chat
from airflow_provider_retell.api.choices import ChatStorageSetting, MetadataMode
from airflow_provider_retell.api.records.update import UpdateResult, prepare_update
from airflow_provider_retell.api.request import UNSET, Flow, Unset


def update_chat_checked(
    chat_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: ChatStorageSetting | None = None,
    custom_attributes: Mapping[str, Any] | None = None,
    override_dynamic_variables: Mapping[str, str] | Unset | None = UNSET,
    metadata_mode: MetadataMode = "merge",
    remove_metadata_keys: Iterable[str] = (),
    clear_metadata: bool = False,
) -> Flow[UpdateResult[Chat]]:
    """Update a chat, send only the differences, and verify Retell's response.

    The log has the names of the fields that were written, and never their values.

    The twin of ``update_call_checked``. Chats need not have ended, and custom attributes are compared, because Retell's
    responses show them. Overrides of dynamic variables and the storage setting are always sent, because they do not.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html

    ::

        result = hook.update_chat_checked("chat_abc", metadata={"tier": "gold"})

    :param chat_id: the chat.
    :param metadata: the metadata keys to set; up to 50 kB of JSON in all.
    :param data_storage_setting: the data that Retell stores: ``everything`` or ``basic_attributes_only``; it can only
        be made stricter, and never undone.
    :param custom_attributes: values by the id of an attribute that is defined in Retell's dashboard.
    :param override_dynamic_variables: texts by name that override the agent's variables; None removes all overrides.
    :param metadata_mode: ``"merge"`` (default) keeps other keys, ``"fill"`` sets only missing keys, ``"replace"``
        deletes all other keys, without reading the chat unless ``custom_attributes`` are set.
    :param remove_metadata_keys: metadata keys to delete.
    :param clear_metadata: True to delete all metadata.
    :raises RetellInputError: if the input is invalid.
    :raises StorageConflictError: if the data storage setting would become less restrictive.
    :raises UpdateMismatchError: if the updated chat does not have the values that were sent.
    """
    prepared = prepare_update(
        CHATS,
        chat_id,
        metadata=metadata,
        data_storage_setting=data_storage_setting,
        custom_attributes=custom_attributes,
        override_dynamic_variables=override_dynamic_variables,
        metadata_mode=metadata_mode,
        remove_metadata_keys=remove_metadata_keys,
        clear_metadata=clear_metadata,
    )
    return (yield from prepared.apply())
