"""Checks of the other rules of update-call: ids, statuses, storage settings, custom attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import get_call, list_calls, update_call
from airflow_provider_retell.api.choices import STORAGE_ORDER
from airflow_provider_retell.contract.calls.common import (
    KEY,
    TRIES,
    UNKNOWN_ID,
    WRITES,
    named,
    writable,
)
from airflow_provider_retell.contract.check import (
    NOT_DOCUMENTED,
    SDK,
    WRITE,
    CannotTellError,
    Checks,
    Finding,
    Flag,
    SkipError,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    ask,
    body_of,
    describe,
    is_success,
    kind,
    see,
    with_body,
)
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_UPDATE = page("update-call")

ATTRIBUTE = Flag(
    "--custom-attribute",
    "with --write and --call-id: id of a custom attribute that the checks may set on the call to a new text; its old "
    "value is not restored; name two ids to check more",
    "ID",
    many=True,
)

TIGHTEN = Flag(
    "--tighten-call-id",
    "a call that has ended and whose data may be removed for good, by making its data storage setting stricter",
    "ID",
)


@CHECKS.add(
    "calls.update_unknown_id",
    assumption="update-call rejects an unknown id with 404 or 422.",
    matters="Bulk updates report the row as `not_found`.",
    source=_UPDATE,
    otherwise="The row fails with Retell's reason.",
    flags=(WRITE,),
)
def update_unknown_id(_target: Target) -> Flow[Finding]:
    """Update a call that does not exist."""
    response = yield from see(update_call(UNKNOWN_ID, metadata={}))
    return holds(describe(response)) if response.status in NOT_FOUND else differs(describe(response))


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
    call = yield from writable(target, "ended")
    request = update_call(call.call_id, metadata={KEY: ""})
    response = yield from see(with_body(request, airflow_contract_check="a"))
    if response.status in REJECTED:
        return holds(describe(response), ignores_unknown_fields=False)
    options = {"ignores_unknown_fields": True} if is_success(response) else {}
    return differs(describe(response), handled=is_success(response), **options)


def _accepted(target: Target, status: str) -> Flow[Finding]:
    call: Call = yield from writable(target, status)
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
            for call in (yield from named(target))
            if call.has_ended and call.data_storage_setting in STORAGE_ORDER[1:]
        ],
        "needs --call-id of a call that has ended and stores less than everything",
    )
    return (yield from _loosen(call))


def _loosen(call: Call) -> Flow[Finding]:
    strict = next(setting for setting in STORAGE_ORDER if setting == call.data_storage_setting)
    looser = STORAGE_ORDER[STORAGE_ORDER.index(strict) - 1]
    response = yield from see(update_call(call.call_id, data_storage_setting=looser))
    if response.status == 400:
        return holds(describe(response), storage_conflict_status=400)
    if response.status == 422:
        return differs(describe(response), handled=True, storage_conflict_status=422)
    if is_success(response):
        yield from ask(update_call(call.call_id, data_storage_setting=strict))
    return differs(describe(response), handled=is_success(response))


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


@CHECKS.add(
    "calls.unknown_attribute_dropped",
    assumption="update-call drops unknown custom attributes without an error.",
    matters="`confirm_custom_attributes=True` detects this.",
    source=_UPDATE,
    otherwise="The task fails with Retell's reason.",
    flags=WRITES,
    options=("rejects_unknown_attributes",),
)
def unknown_attribute_dropped(target: Target) -> Flow[Finding]:
    """Set a custom attribute that does not exist."""
    call = yield from writable(target, "ended")
    response = yield from see(update_call(call.call_id, custom_attributes={KEY: "a"}))
    if is_success(response):
        return holds(describe(response), rejects_unknown_attributes=False)
    rejected = response.status in REJECTED
    return differs(
        describe(response), handled=rejected, **({"rejects_unknown_attributes": True} if rejected else {})
    )


_ATTRIBUTES = (*WRITES, ATTRIBUTE)


@CHECKS.add(
    "calls.attributes_not_shown",
    assumption="Call objects do not contain custom attributes.",
    matters="The package reports custom attributes as unverified.",
    source=SDK,
    question="Do call objects contain custom attributes?",
    otherwise="Nothing changes: the package compares custom attributes that the response contains.",
    flags=_ATTRIBUTES,
    options=("echo_custom_attributes",),
)
def attributes_not_shown(target: Target) -> Flow[Finding]:
    """Set a custom attribute and look at the response."""
    call = yield from writable(target, "ended")
    attribute = target.values(ATTRIBUTE)[0]
    response = yield from see(update_call(call.call_id, custom_attributes={attribute: "contract check"}))
    body = body_of(response)
    if not is_success(response) or not isinstance(body, dict):
        return differs(describe(response))
    shown = body.get("custom_attributes")
    if shown is None:
        return holds("no custom_attributes", echo_custom_attributes=False)
    right = isinstance(shown, dict) and shown.get(attribute) == "contract check"
    return differs(f"custom_attributes is {kind(shown)}", handled=right, echo_custom_attributes=True)


def _has_attribute(call: Call, attribute: str, value: str) -> Flow[bool]:
    """Return True if list-calls finds *call* by an attribute, within a few requests."""
    leaf = {"type": "string", "op": "eq", "value": value, "key": attribute}
    criteria = {"call_id": {"type": "string", "op": "eq", "value": call.call_id}, "custom_attributes": [leaf]}
    for _ in range(TRIES):
        found = yield from ask(list_calls(filter_criteria=criteria, limit=1))
        if found.items:
            return True
    return False


@CHECKS.add(
    "calls.attributes_are_listed",
    assumption="A filter of list-calls finds a call by a custom attribute.",
    matters="`confirm_custom_attributes=True` verifies an update with this filter.",
    source=page("list-calls"),
    otherwise="The task fails although Retell has stored the attribute.",
    flags=_ATTRIBUTES,
    options=("list_lag",),
)
def attributes_are_listed(target: Target) -> Flow[Finding]:
    """Set a custom attribute and list the call by it."""
    call = yield from writable(target, "ended")
    attribute = target.values(ATTRIBUTE)[0]
    value = f"listed {len(call.call_id)}"
    yield from ask(update_call(call.call_id, custom_attributes={attribute: value}))
    if (yield from _has_attribute(call, attribute, value)):
        return holds("the call")
    return differs(f"no call in {TRIES} requests")


@CHECKS.add(
    "calls.attributes_merged",
    assumption="update-call keeps custom attributes that the request does not contain.",
    matters="Updates send only the attributes to set.",
    source=NOT_DOCUMENTED,
    question="Does update-call replace or merge custom attributes?",
    otherwise="An update removes the call's other attributes.",
    flags=_ATTRIBUTES,
    options=("custom_attributes_semantics",),
)
def attributes_merged(target: Target) -> Flow[Finding]:
    """Set two custom attributes, one after the other."""
    call = yield from writable(target, "ended")
    if len(target.values(ATTRIBUTE)) < 2:
        raise SkipError("needs two different --custom-attribute")
    first, second = target.values(ATTRIBUTE)[:2]
    yield from ask(update_call(call.call_id, custom_attributes={first: "merged"}))
    if not (yield from _has_attribute(call, first, "merged")):
        raise CannotTellError("the first attribute is not listed")
    yield from ask(update_call(call.call_id, custom_attributes={second: "merged"}))
    if not (yield from _has_attribute(call, second, "merged")):
        raise CannotTellError("the second attribute is not listed")
    if (yield from _has_attribute(call, first, "merged")):
        return holds("both", custom_attributes_semantics="merge")
    return differs("the second only", custom_attributes_semantics="replace")
