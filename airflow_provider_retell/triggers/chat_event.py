"""An event trigger for asset watchers that starts DAGs when chats end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from airflow_provider_retell.api.choices import CHAT_UNTIL, ChatUntil
from airflow_provider_retell.params import checks
from airflow_provider_retell.triggers.record_event import RecordEventTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.nouns import Noun

ChatType = Literal["api_chat", "sms_chat"]


class ChatEventTrigger(RecordEventTrigger):
    """Fire an asset event when chats end, or when their analyses arrive. Needs Airflow 3.

    The twin of :class:`~airflow_provider_retell.triggers.CallEventTrigger`, with the same guarantees if the triggerer
    is restarted or killed.

    ::

        from airflow.sdk import DAG, Asset, AssetWatcher

        from airflow_provider_retell.triggers import ChatEventTrigger

        ended = AssetWatcher(name="ended", trigger=ChatEventTrigger(event="ended"))

        with DAG("after_chats", schedule=Asset("chats", watchers=[ended])):
            ...

    One event contains all new chats of a poll, up to 500. Its payload has ``event`` (``chat_ended`` or
    ``chat_analyzed``) and ``chats``, each with ``chat_id``, ``chat_status``, ``chat_type``, ``agent_id`` and
    ``end_timestamp``. Airflow may start one DAG run for several events: iterate over ``triggering_asset_events``, and
    read the payload from ``event.extra["payload"]``.

    All watchers of chats of a connection share one poll.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/events.html
    - API: https://docs.retellai.com/api-references/list-chats

    :param event: ``"ended"`` (default) fires when a chat ends or fails; ``"analyzed"`` fires when its ``chat_analysis``
        is available, up to six hours after the chat, and until 5,000 later chats were reported.
    :param agent_ids: only chats of these agents. Default: all.
    :param chat_type: only ``"api_chat"`` or only ``"sms_chat"``. Default: both. Retell returns no direction of chats.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 30 seconds.
    :param overlap: seconds, or a timedelta, that each poll reaches back, for chats that appear late in the list of
        ended chats. It must be longer than the silence after which the agents end a chat
        (``end_chat_after_silence_ms``, one hour by default): Retell does not document whether the end of such a chat
        is the time of its last message. Default: 7,200 seconds.
    :param lookback: seconds, or a timedelta, that the first poll reaches back if there is no stored state. Default: 600
        seconds.
    :param airflow_conn_id: the connection to this Airflow's REST API: the URL as host, and a login with password, or a
        token as the password alone. The user needs permission to read assets. Requires ``asset_name``.
    :param asset_name: the name of the watcher's asset. Requires ``airflow_conn_id``.
    :param retell_conn_id: the Airflow connection of type ``retell``. Default: ``retell_default``.
    :raises ValueError: if an argument is invalid.
    """

    noun: ClassVar[Noun] = "chat"
    filters: ClassVar[tuple[str, ...]] = ("chat_type",)

    def __init__(
        self,
        *,
        event: ChatUntil = "ended",
        agent_ids: Collection[str] | None = None,
        chat_type: ChatType | None = None,
        poll_interval: float | timedelta = 30,
        overlap: float | timedelta = 7200,
        lookback: float | timedelta = 600,
        airflow_conn_id: str | None = None,
        asset_name: str | None = None,
        retell_conn_id: str = "retell_default",
        **airflow: Any,
    ) -> None:
        super().__init__(
            event=event,
            agent_ids=agent_ids,
            poll_interval=poll_interval,
            overlap=overlap,
            lookback=lookback,
            airflow_conn_id=airflow_conn_id,
            asset_name=asset_name,
            retell_conn_id=retell_conn_id,
            **airflow,
        )
        checks.one_of("event", event, CHAT_UNTIL)
        checks.one_of("chat_type", chat_type, (*get_args(ChatType), None))
        self.chat_type = chat_type
