"""The chats of an organization, for tests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_retell.emulator.chats.vocabulary import Chat


class ChatObjects(Objects):
    """Chats, for tests."""

    @property
    def chats(self) -> dict[str, Chat]:
        """The chats by id, up to date with the clock. The dictionary is live: tests may change it."""
        self._owner.catch_up()
        return self._owner.chat_backend.objects

    @property
    def chat_reruns(self) -> int:
        """The number of analyses of chats that were run and charged again."""
        return self._owner.chat_backend.reruns

    def add_chat(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Chat:
        """Add a chat and return it. The returned dictionary is live: tests may change it.

        Fields that are not given are filled as in a real chat of that status. The default is a chat that has ended and
        is analyzed.

        :param progress: let an ongoing chat end, after the time that a call lasts, and be analyzed.
        :param minimal: leave out transcript, cost and analysis, for tests with very many chats.
        :param fields: fields of the chat; None leaves a field out.
        :raises ValueError: for a chat id that exists, or a chat type or status that Retell does not have.
        """
        return self._owner.chat_backend.add(progress=progress, minimal=minimal, **fields)

    def add_chats(self, chat_ids: Iterable[str], **fields: Any) -> None:
        """Add many minimal chats that differ in their ids only.

        :param chat_ids: an id for each chat.
        :param fields: the fields of every chat.
        """
        for chat_id in chat_ids:
            self.add_chat(**{**copy.deepcopy(fields), "chat_id": chat_id, "minimal": True})

    def edit_chat(self, chat_id: str, **fields: Any) -> Chat:
        """Change fields of a chat, whatever its status, and return it.

        :param chat_id: the id of the chat.
        :param fields: the new values; None removes a field.
        :raises LookupError: if there is no such chat.
        :raises ValueError: for a chat type or status that Retell does not have, or a new ``chat_id``.
        """
        with self._owner.options.clock.lock:
            return self._owner.chat_backend.edit(chat_id, **fields)
