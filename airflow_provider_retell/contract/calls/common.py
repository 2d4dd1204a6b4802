"""The calls that checks use, and the checks that are the same for chats."""

from __future__ import annotations

from airflow_provider_retell.api.calls import kind
from airflow_provider_retell.api.calls.endpoints import update_call, update_live_call
from airflow_provider_retell.api.calls.fields import TRANSCRIPTS
from airflow_provider_retell.contract.flags import WRITE, Flag
from airflow_provider_retell.contract.list_checks import ListChecks
from airflow_provider_retell.contract.read_checks import ReadChecks
from airflow_provider_retell.contract.records import Records
from airflow_provider_retell.contract.update_checks import UpdateChecks

CALL_ID = Flag(
    "--call-id",
    "with --write: a call whose metadata may be changed and restored; name calls of several statuses to check more",
    "ID",
    many=True,
)

WRITES = (WRITE, CALL_ID)

CALLS = Records(
    kind.CALLS,
    update_call,
    update_live_call,
    CALL_ID,
    statuses=frozenset({"registered", "not_connected", "ongoing", "ended", "error"}),
    transcripts=TRANSCRIPTS,
)
LISTS, READS, UPDATES = ListChecks(CALLS), ReadChecks(CALLS), UpdateChecks(CALLS)
