"""Complete listing of chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.chats import endpoints
from airflow_provider_retell.api.chats.models import Chat
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.response_model import Page


def list_chats(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    sort_order: str | None = None,
    page_size: int = 1000,
) -> Pages[Page[Chat]]:
    """Yield every matching chat, without transcripts. Reads one page at a time.

    API: https://docs.retellai.com/api-references/list-chats

    :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.chats.filters`.
    :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
    :param page_size: chats per request, 1 to 1000. Default: 1000.
    :raises RetellResponseError: if Retell's paging would lose or repeat chats.
    """
    return Pages(
        endpoints.list_chats, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size
    )
