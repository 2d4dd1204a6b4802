"""The endpoints of chats. Each function checks its arguments and returns a :class:`Request`.

Retell's pages: https://docs.retellai.com/api-references.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from airflow_provider_retell.api.body import Body, build
from airflow_provider_retell.api.chats.bodies import ListChats, UpdateChat
from airflow_provider_retell.api.chats.models import Chat, ChatPage
from airflow_provider_retell.api.choices import ChatStorageSetting
from airflow_provider_retell.api.encode import JsonValue
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.records.models import RecordSummary
from airflow_provider_retell.api.request import UNSET, ObjectKind, Request, Unset, check_id, given, request_to

_CHAT = ObjectKind("chat", "chat_id")


@dataclass(frozen=True)
class ChatChange(Change):
    """The fields to change on a chat. Retell documents no status in which it refuses to update a chat.

    :ivar override_dynamic_variables: texts by name; None removes all overrides. Responses do not show them.
    """

    kind: ClassVar[str] = "chat"
    path: ClassVar[str] = "/update-chat/"
    body: ClassVar[type[Body]] = UpdateChat
    record: ClassVar[type[RecordSummary]] = Chat
    shows_attributes: ClassVar[bool] = True
    needs_end: ClassVar[bool] = False

    override_dynamic_variables: dict[str, JsonValue] | Unset | None = field(default=UNSET, repr=False)

    def values(self) -> dict[str, Any]:
        """Return the fields to send."""
        values = super().values()
        if not isinstance(self.override_dynamic_variables, Unset):
            values["override_dynamic_variables"] = self.override_dynamic_variables
        return values

    def hidden_names(self) -> tuple[str, ...]:
        """Return the names of the fields to send that no response shows."""
        variables = self.override_dynamic_variables
        if isinstance(variables, Unset):
            return ()
        if variables is None:
            return ("override_dynamic_variables",)
        return tuple(f"override_dynamic_variables.{name}" for name in variables)


def update_chat(
    chat_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: ChatStorageSetting | None = None,
    custom_attributes: Mapping[str, str | bool | int | float] | None = None,
    override_dynamic_variables: Mapping[str, str] | Unset | None = UNSET,
) -> Request[Chat]:
    """Send one update-chat request.

    Prefer ``update_chat_checked``, which keeps other metadata and verifies the response.

    API: https://docs.retellai.com/api-references/update-chat

    :param chat_id: the chat.
    :param metadata: the new metadata, up to 50 kB of JSON. Retell does not document whether it replaces or merges
        metadata. Expect it to replace.
    :param data_storage_setting: the data that Retell stores: ``everything`` or ``basic_attributes_only``; it can only
        be made stricter, and never undone.
    :param custom_attributes: values by the id of an attribute that is defined in Retell's dashboard. Retell silently
        drops unknown ids, and does not document whether it keeps the chat's other attributes.
    :param override_dynamic_variables: variables that override the agent's; None removes all overrides.
    :raises RetellInputError: if an argument is invalid, or none is given.
    """
    change = ChatChange.encode(
        ChatChange.operation(check_id(chat_id, "chat_id")),
        metadata=metadata,
        data_storage_setting=data_storage_setting,
        custom_attributes=custom_attributes,
        override_dynamic_variables=override_dynamic_variables,
    )
    return change.request(chat_id)


def get_chat(chat_id: str) -> Request[Chat]:
    """Read one chat, including its transcript.

    API: https://docs.retellai.com/api-references/get-chat
    """
    return _CHAT.request("GET", "/get-chat", chat_id, Chat.read)


def list_chats(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    sort_order: str | None = None,
    limit: int | None = None,
    skip: int | None = None,
    pagination_key: str | None = None,
    include_total: bool | None = None,
) -> Request[ChatPage]:
    """Read one page of chats, without transcripts.

    API: https://docs.retellai.com/api-references/list-chats

    :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.chats.filters`. Retell cannot filter
        chats by metadata.
    :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
    :param limit: chats per page, 1 to 1000; Retell's default is 50.
    :param skip: the number of chats to skip; cannot be combined with ``pagination_key``.
    :param pagination_key: the ``pagination_key`` of the previous page.
    :param include_total: True to count all matching chats.
    :raises RetellInputError: if an argument is invalid.
    """
    if skip is not None and pagination_key is not None:
        raise RetellInputError("list-chats: set skip or pagination_key, not both")
    fields = given(
        filter_criteria=filter_criteria,
        sort_order=sort_order,
        limit=limit,
        skip=skip,
        pagination_key=pagination_key,
        include_total=include_total,
    )
    return request_to("POST", "/v3/list-chats", ChatPage.read, body=build(ListChats, "list-chats", fields))


def end_chat(chat_id: str) -> Request[None]:
    """End an ongoing chat.

    API: https://docs.retellai.com/api-references/end-chat
    """
    return _CHAT.request("PATCH", "/end-chat", chat_id, no_result)


def delete_chat(chat_id: str) -> Request[None]:
    """Permanently delete a chat and all its data.

    API: https://docs.retellai.com/api-references/delete-chat
    """
    return _CHAT.request("DELETE", "/delete-chat", chat_id, no_result)


def rerun_chat_analysis(chat_id: str) -> Request[Chat]:
    """Analyze a chat again. Retell charges for it.

    The request is sent again only if Retell certainly did not process it.

    API: https://docs.retellai.com/api-references/rerun-chat-analysis
    """
    return _CHAT.request("PUT", "/rerun-chat-analysis", chat_id, Chat.read, idempotent=False)
