"""The chats that checks use, and the checks that are the same for calls."""

from __future__ import annotations

from airflow_provider_retell.api.chats import kind
from airflow_provider_retell.api.chats.endpoints import update_chat
from airflow_provider_retell.api.chats.fields import TRANSCRIPTS
from airflow_provider_retell.contract.flags import WRITE, Flag
from airflow_provider_retell.contract.list_checks import ListChecks
from airflow_provider_retell.contract.read_checks import ReadChecks
from airflow_provider_retell.contract.records import Records
from airflow_provider_retell.contract.update_checks import UpdateChecks

CHAT_ID = Flag(
    "--chat-id",
    "with --write: a chat whose metadata may be changed and restored; name an ongoing one, too, to check more",
    "ID",
    many=True,
)

WRITES = (WRITE, CHAT_ID)

CHATS = Records(
    kind.CHATS,
    update_chat,
    update_chat,
    CHAT_ID,
    statuses=frozenset({"ongoing", "ended", "error"}),
    transcripts=TRANSCRIPTS,
    options="chats.",
)
LISTS, READS, UPDATES = ListChecks(CHATS), ReadChecks(CHATS), UpdateChecks(CHATS)
