"""Checks of other rules of update-call: ids, statuses and storage settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import get_call, update_call
from airflow_provider_retell.api.choices import STORAGE_ORDER, DataStorageSetting
from airflow_provider_retell.contract.calls.common import CALLS, UPDATES, WRITES
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import Finding, SkipError, differs, holds
from airflow_provider_retell.contract.flags import WRITE, Flag
from airflow_provider_retell.contract.records import KEY
from airflow_provider_retell.contract.seeing import (
    REJECTED,
    ask,
    body_of,
    describe,
    is_success,
    rejection,
    see,
    succeeds,
    with_body,
)
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_UPDATE = page("update-call")

TIGHTEN = Flag(
    "--tighten-call-id",
    "a call that has ended and whose data may be removed for good, by making its data storage setting stricter",
    "ID",
)


CHECKS.add(
    "calls.update_unknown_id",
    assumption="update-call rejects an unknown id with 404 or 422.",
    matters="Bulk updates report the row as `not_found`.",
    source=_UPDATE,
    otherwise="The row fails with Retell's reason.",
    flags=(WRITE,),
)(UPDATES.unknown_id)


@CHECKS.add(
    "calls.unknown_field_rejected",
    assumption="update-call rejects unknown fields.",
    matters="The package rejects unknown fields before it sends anything.",
    source=_UPDATE,
    otherwise="Nothing changes, because the package sends no unknown fields.",
    question="Does update-call reject or ignore unknown fields?",
    flags=WRITES,
    options=("ignores_unknown_fields",),
)
def unknown_field_rejected(target: Target) -> Flow[Finding]:
    """Update a call with a field that does not exist."""
    call = yield from CALLS.writable(target)
    request = update_call(call.call_id, metadata={KEY: ""})
    response = yield from see(with_body(request, airflow_contract_check="a"))
    if response.status in REJECTED:
        return holds(describe(response), ignores_unknown_fields=False)
    options = {"ignores_unknown_fields": True} if is_success(response) else {}
    return differs(describe(response), handled=is_success(response), options=options)


def _accepted(target: Target, status: str) -> Flow[Finding]:
    call: Call = yield from CALLS.writable(target, status)
    metadata = {**(call.metadata or {}), KEY: "a"}
    response = yield from see(update_call(call.call_id, metadata=metadata))
    if is_success(response):
        return holds(describe(response), ended_statuses={status: True})
    if response.status in REJECTED:
        return differs(describe(response), ended_statuses={status: False})
    return differs(describe(response))


@CHECKS.add(
    "calls.update_of_unconnected_call",
    assumption="update-call accepts calls that never connected.",
    matters="Updates treat `not_connected` as ended.",
    source=NOT_DOCUMENTED,
    question="Does a call that never connected count as ended?",
    otherwise="The task fails with Retell's reason.",
    flags=WRITES,
    options=("ended_statuses",),
)
def update_of_unconnected_call(target: Target) -> Flow[Finding]:
    """Update a named call that is not_connected."""
    return (yield from _accepted(target, "not_connected"))


@CHECKS.add(
    "calls.update_of_failed_call",
    assumption="update-call accepts calls with the status `error`.",
    matters="Updates treat `error` as ended.",
    source=NOT_DOCUMENTED,
    question="Does a call with the status `error` count as ended?",
    otherwise="The task fails with Retell's reason.",
    flags=WRITES,
    options=("ended_statuses",),
)
def update_of_failed_call(target: Target) -> Flow[Finding]:
    """Update a named call whose status is error."""
    return (yield from _accepted(target, "error"))


@CHECKS.add(
    "calls.storage_cannot_loosen",
    assumption="update-call rejects a less strict data storage setting with 400.",
    matters="The error message says that the setting can only become stricter.",
    source=_UPDATE,
    question="With which status does Retell reject a less strict storage setting?",
    otherwise="422 has the same meaning. If Retell accepts the change, nothing changes except with `replace`, which "
    "does not check the setting.",
    flags=WRITES,
    options=("storage_conflict_status",),
)
def storage_cannot_loosen(target: Target) -> Flow[Finding]:
    """Loosen the setting of a named call that stores less than everything."""
    call = one(
        [
            call
            for call in (yield from CALLS.named(target))
            if call.has_ended and call.data_storage_setting in STORAGE_ORDER[1:]
        ],
        "needs --call-id of a call that has ended and stores less than everything",
    )
    return (yield from _loosen(target, call))


def _loosen(target: Target, call: Call) -> Flow[Finding]:
    strict = next(setting for setting in STORAGE_ORDER if setting == call.data_storage_setting)
    looser = STORAGE_ORDER[STORAGE_ORDER.index(strict) - 1]
    target.clean_up(
        partial(_tighten, call.call_id, strict),
        "the data storage setting of a call in --call-id may be less strict than before: set it again",
    )
    response = yield from see(update_call(call.call_id, data_storage_setting=looser))
    if is_success(response):
        yield from ask(update_call(call.call_id, data_storage_setting=strict))
        return differs(describe(response), handled=True)
    return rejection(response, 400, REJECTED, "storage_conflict_status")


def _tighten(call_id: str, strict: DataStorageSetting) -> Flow[bool]:
    """Set the setting again; return True if the call has it."""
    call: Call = yield from ask(get_call(call_id))
    if call.data_storage_setting == strict:
        return True
    return (yield from succeeds(update_call(call_id, data_storage_setting=strict)))


@CHECKS.add(
    "calls.tightening_is_shown",
    assumption="The response of update-call contains the new data storage setting.",
    matters="The package compares this response with the request.",
    source=NOT_DOCUMENTED,
    question="Does the response of update-call contain the new storage setting?",
    otherwise="If the setting is missing, the package reports it as unverified. If it is another one, the task fails.",
    flags=(TIGHTEN,),
)
def tightening_is_shown(target: Target) -> Flow[Finding]:
    """Make the setting of a named call one step stricter."""
    call: Call = yield from ask(get_call(target.values(TIGHTEN)[0]))
    setting = call.data_storage_setting or STORAGE_ORDER[0]
    if setting not in STORAGE_ORDER[:-1]:
        raise SkipError("the call in --tighten-call-id has the strictest setting already")
    stricter = STORAGE_ORDER[STORAGE_ORDER.index(setting) + 1]
    response = yield from see(update_call(call.call_id, data_storage_setting=stricter))
    body = body_of(response)
    if not is_success(response) or not isinstance(body, dict):
        return differs(describe(response))
    shown = body.get("data_storage_setting")
    if shown == stricter:
        return holds(f"{response.status} with the new setting")
    if shown is None:
        return differs("no setting", handled=True)
    return differs("another setting")
