"""Complete listing of contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.response_model import Page


def list_contacts(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    search_query: str | None = None,
    sort_order: str | None = None,
    page_size: int | None = None,
) -> Pages[Page[Contact]]:
    """Yield every matching contact. Reads one page at a time.

    API: https://docs.retellai.com/api-references/list-contacts

    :param filter_criteria: conditions, see :meth:`list_contacts_page`.
    :param search_query: text in the number, the names, the external id or the custom fields.
    :param sort_order: ``"asc"`` or ``"desc"`` (Retell's default) by the time of creation. With ``"asc"``, contacts
        that are created meanwhile shift no page.
    :param page_size: contacts per request. Retell does not document the largest number. Default: Retell's default.
    :raises RetellResponseError: if Retell's paging would lose or repeat contacts.
    """
    return Pages(
        endpoints.list_contacts,
        filter_criteria=filter_criteria,
        search_query=search_query,
        sort_order=sort_order,
        limit=page_size,
    )
