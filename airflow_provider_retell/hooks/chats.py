"""Hook methods for chats."""

from __future__ import annotations

from airflow_provider_retell.api.chats import endpoints, listings, update
from airflow_provider_retell.hooks.endpoint import Endpoint, Listing, Steps


class ChatMethods:
    """The endpoints of chats. ``list_chats`` reads all pages."""

    update_chat_checked = Steps(update.update_chat_checked)
    update_chat = Endpoint(endpoints.update_chat)
    get_chat = Endpoint(endpoints.get_chat)
    list_chats_page = Endpoint(endpoints.list_chats)
    list_chats = Listing(listings.list_chats)
    end_chat = Endpoint(endpoints.end_chat)
    delete_chat = Endpoint(endpoints.delete_chat)
    rerun_chat_analysis = Endpoint(endpoints.rerun_chat_analysis)
