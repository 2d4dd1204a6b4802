"""Request bodies of the chat endpoints.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK.
"""

from __future__ import annotations

from airflow_provider_retell.api.body import AttributeMap, Body, Metadata, TextMap
from airflow_provider_retell.api.chats.filters import ChatFilterCriteria
from airflow_provider_retell.api.choices import ChatStorageSetting
from airflow_provider_retell.api.records.conditions import ListRecords


class UpdateChat(Body):
    """Body of update-chat. ``override_dynamic_variables=None`` removes all overrides."""

    metadata: Metadata | None = None
    data_storage_setting: ChatStorageSetting | None = None
    custom_attributes: AttributeMap | None = None
    override_dynamic_variables: TextMap | None = None


class ListChats(ListRecords):
    """Body of list-chats."""

    filter_criteria: ChatFilterCriteria | None = None
