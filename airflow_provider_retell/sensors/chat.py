"""The sensor that waits for a chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.choices import CHAT_UNTIL, ChatUntil
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_id
from airflow_provider_retell.sensors.base import RetellSensor

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.triggers.base import PollTrigger


class ChatSensor(RetellSensor):
    """Wait until a chat has ended, or has an analysis, and return its ids, status, times and cost.

    ::

        from airflow_provider_retell.sensors import ChatSensor

        ChatSensor(task_id="wait", chat_id="{{ params.chat_id }}", until="analyzed", deferrable=True, timeout=3600)

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/get-chat

    :param chat_id: the chat (templated).
    :param until: ``"ended"`` (default) waits for the end of the chat; ``"analyzed"`` waits for its ``chat_analysis``.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``: ``chat_successful``,
        ``user_sentiment``, and keys of ``custom_analysis_data``. A field that the analysis lacks is None. The values
        are stored in Airflow's database. Requires ``until="analyzed"``. Default: none.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``. ``mode`` has no effect then.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. With
        ``mode="reschedule"``, failures end the wait only with 0. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :param kwargs: the parameters of every Airflow sensor, for example ``poke_interval``, ``timeout``, ``mode`` and
        ``soft_fail``.
    :raises AirflowSensorTimeout: if the wait reached ``timeout``.
    :raises AirflowFailException: if a retry cannot help: there is no such chat, or Retell rejects the API key.
    """

    template_fields: Sequence[str] = ("chat_id", *RetellSensor.template_fields)

    def __init__(
        self,
        *,
        chat_id: str | XComArg,
        until: ChatUntil = "ended",
        analysis_fields: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.one_of("until", until, CHAT_UNTIL)
        self.analysis_fields = checks.analysis_fields(analysis_fields, until=until)
        self.chat_id = chat_id
        self.until: ChatUntil = until

    def condition(self) -> Condition:
        """Return the condition to wait for."""
        from airflow_provider_retell.api.chats.waits import ChatReached

        return ChatReached(as_id(self.chat_id, "chat_id"), self.until, self.analysis_fields)

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger for this condition."""
        from airflow_provider_retell.triggers.chat import ChatTrigger

        return ChatTrigger
