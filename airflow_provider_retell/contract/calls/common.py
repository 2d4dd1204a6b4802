"""The calls that checks use: a sample of the newest ones, and those that the user named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.endpoints import (
    CallChange,
    get_call,
    list_calls,
    update_call,
    update_live_call,
)
from airflow_provider_retell.api.calls.models import ENDED_STATUSES, Call
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.records.changes import diff
from airflow_provider_retell.contract.findings import SkipError
from airflow_provider_retell.contract.flags import WRITE, Flag
from airflow_provider_retell.contract.record_list import RecordList
from airflow_provider_retell.contract.records import KEY, restore_metadata
from airflow_provider_retell.contract.seeing import ask
from airflow_provider_retell.contract.target import Target, one
from airflow_provider_retell.contract.update_checks import UpdateChecks

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request

CALL_ID = Flag(
    "--call-id",
    "with --write: a call whose metadata may be changed and restored; name calls of several statuses to check more",
    "ID",
    many=True,
)

WRITES = (WRITE, CALL_ID)

UNKNOWN_ID = "call_00000000000000000000000000000000"
"""The id of a call that does not exist. It has the form of Retell's ids."""

SAMPLE = 50

CALLS = RecordList("call", list_calls)


def sample(target: Target) -> Flow[list[dict[str, Any]]]:
    """Return the newest calls that have ended, as Retell lists them."""
    found: list[dict[str, Any]] = yield from target.once(_sample)
    return found


def _sample(_target: Target) -> Flow[list[dict[str, Any]]]:
    ended = {"type": "enum", "op": "in", "value": sorted(ENDED_STATUSES)}
    _, found = yield from CALLS.listed(filter_criteria={"call_status": ended}, limit=SAMPLE)
    one(found, "the organization has no call that has ended")
    return found


def named(target: Target) -> Flow[list[Call]]:
    """Return the calls that the user named."""
    calls: list[Call] = yield from target.once(_named)
    return calls


def _named(target: Target) -> Flow[list[Call]]:
    calls = []
    for call_id in target.values(CALL_ID):
        calls.append((yield from ask(get_call(call_id))))
    return calls


def writable(target: Target, *statuses: str) -> Flow[Call]:
    """Return a named call in one of *statuses*, after recording its metadata, so that a check may change it.

    :raises SkipError: if none of the named calls can be changed and restored exactly.
    """
    calls = [call for call in (yield from named(target)) if call.call_status in statuses]
    one(calls, f"needs --call-id of a call that is {' or '.join(statuses)}")
    found = one(
        [call for call in calls if call.data_storage_setting != "everything_except_pii"],
        "Retell masks the metadata of the calls in --call-id: name one that stores everything",
    )
    call: Call = yield from ask(get_call(found.call_id))
    if call.call_status != found.call_status:
        raise SkipError("the status of the call in --call-id has changed")
    try:
        update_call(call.call_id, metadata=call.metadata or {})
        diff(call, CallChange(metadata={KEY: True}), "merge")
    except RetellInputError:
        raise SkipError("the package cannot restore the metadata of the call in --call-id exactly") from None
    target.about_to_change("call", call.call_id, {"metadata": call.metadata or {}})
    return call


UPDATES = UpdateChecks(CALLS, get_call, update_call, writable)


def restore(call_id: str, state: dict[str, Any]) -> Flow[bool]:
    """Set the metadata of a call to its state before the checks; return True if it is equal again."""

    def update(call: Any, metadata: dict[str, Any]) -> Request[Any]:
        change = update_live_call if call.call_status == "ongoing" else update_call
        return change(call_id, metadata=metadata)

    return (yield from restore_metadata(lambda: get_call(call_id), update, state["metadata"]))
