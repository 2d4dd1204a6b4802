"""The trigger that waits for a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.triggers.base import PollTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.choices import ChatUntil
    from airflow_provider_retell.api.waits import Condition


class ChatTrigger(PollTrigger):
    """Wait until a chat has ended, or has an analysis.

    The event contains the chat's ids, status, times, cost and the keys of its metadata. The other parameters are those
    of :class:`~airflow_provider_retell.triggers.base.PollTrigger`. For example, in an operator of your own::

        import time

        from airflow_provider_retell.triggers import ChatTrigger

        self.defer(
            trigger=ChatTrigger(
                chat_id="chat_abc", retell_conn_id="retell_default", poll_interval=30, deadline=time.time() + 3600
            ),
            method_name="resume",
        )

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/get-chat

    :param chat_id: the chat.
    :param until: ``"ended"`` (default) waits for the end of the chat, ``"analyzed"`` for its analysis.
    """

    own_arguments: ClassVar[tuple[str, ...]] = ("chat_id", "until")

    def __init__(self, *, chat_id: str, until: ChatUntil = "ended", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_id = chat_id
        self.until: ChatUntil = until

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.chats.waits import ChatReached

        return ChatReached(self.chat_id, self.until)
