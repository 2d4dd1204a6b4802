"""Checks of chat objects, as get-chat and list-chats return them."""

from __future__ import annotations

from airflow_provider_retell.contract.chats.common import READS
from airflow_provider_retell.contract.check import Checks, page

CHECKS = Checks()

CHECKS.add(
    "chats.unknown_id",
    assumption="get-chat rejects an unknown id with 422.",
    matters="Bulk updates report `not_found`, and DeleteChatOperator accepts a chat that is already deleted.",
    source=page("get-chat"),
    question="Does the unknown id of a chat get 404 or 422?",
    otherwise="404 has the same meaning. With another status, the task or row fails.",
    options=("chats.unknown_id_status",),
)(READS.unknown_id)

CHECKS.add(
    "chats.fields_have_documented_types",
    assumption="The fields of a chat have the documented types.",
    matters="All tasks that read chats parse these fields.",
    source=page("get-chat"),
    otherwise="The task fails and names the field. A bulk update fails the row. An export writes the chat as received.",
)(READS.types)

CHECKS.add(
    "chats.statuses_are_known",
    assumption="chat_status is one of the three documented values.",
    matters="Waits end with `ended` or `error`.",
    source=page("get-chat"),
    otherwise="A chat with an unknown status never counts as ended, so a wait for it times out.",
)(READS.statuses)

CHECKS.add(
    "chats.timestamps_are_milliseconds",
    assumption="Timestamps of chats are in epoch milliseconds.",
    matters="ChatEventTrigger filters chats by the time of their end.",
    source=page("get-chat"),
    otherwise="The trigger finds no chats.",
)(READS.timestamps)

CHECKS.add(
    "chats.ended_chats_have_an_end",
    assumption="All chats that are over have end_timestamp, including those that failed.",
    matters="ChatEventTrigger finds chats by this field.",
    source=page("get-chat"),
    question="Do all chats that are over have end_timestamp?",
    otherwise="ChatEventTrigger misses chats without this field.",
)(READS.ends)
