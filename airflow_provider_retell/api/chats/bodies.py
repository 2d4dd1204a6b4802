"""Request bodies of the chat endpoints.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_retell.api.body import AttributeMap, Body, Metadata, Text, TextMap
from airflow_provider_retell.api.chats.filters import ChatFilterCriteria
from airflow_provider_retell.api.choices import ChatStorageSetting


class UpdateChat(Body):
    """Body of update-chat. ``override_dynamic_variables=None`` removes all overrides."""

    metadata: Metadata | None = None
    data_storage_setting: ChatStorageSetting | None = None
    custom_attributes: AttributeMap | None = None
    override_dynamic_variables: TextMap | None = None


class ListChats(Body):
    """Body of list-chats. ``sort_order`` always refers to the start time."""

    filter_criteria: ChatFilterCriteria | None = None
    sort_order: Literal["ascending", "descending"] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    pagination_key: Text | None = None
    skip: Annotated[int, Field(ge=0)] | None = None
    include_total: bool | None = None
