"""Checks of update-call on custom attributes. Calls do not show them, so lists have to prove them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import list_calls, update_call
from airflow_provider_retell.contract.calls.common import CALLS, UPDATES, WRITES
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, SDK, Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, SkipError, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.records import TRIES
from airflow_provider_retell.contract.seeing import (
    ask,
    body_of,
    describe,
    is_success,
    kind,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

ATTRIBUTE = Flag(
    "--custom-attribute",
    "with --write and --call-id or --chat-id: id of a custom attribute that the checks may set on the call or chat to "
    "a new text; its old value is not restored; name two ids to check more",
    "ID",
    many=True,
)


CHECKS.add(
    "calls.unknown_attribute_dropped",
    assumption="update-call drops unknown custom attributes without an error.",
    matters="`confirm_custom_attributes=True` detects this.",
    source=page("update-call"),
    otherwise="The task fails with Retell's reason.",
    flags=WRITES,
    options=("rejects_unknown_attributes",),
)(UPDATES.drops_unknown_attribute)


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
    call = yield from CALLS.writable(target)
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
    call = yield from CALLS.writable(target)
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
    otherwise="An update removes the call's other attributes, unless it reads the call first and Retell shows them.",
    flags=_ATTRIBUTES,
    options=("custom_attributes_semantics",),
)
def attributes_merged(target: Target) -> Flow[Finding]:
    """Set two custom attributes, one after the other."""
    call = yield from CALLS.writable(target)
    names = list(dict.fromkeys(target.values(ATTRIBUTE)))
    if len(names) < 2:
        raise SkipError("needs two different --custom-attribute")
    first, second = names[:2]
    yield from ask(update_call(call.call_id, custom_attributes={first: "merged"}))
    if not (yield from _has_attribute(call, first, "merged")):
        raise CannotTellError("the first attribute is not listed")
    yield from ask(update_call(call.call_id, custom_attributes={second: "merged"}))
    if not (yield from _has_attribute(call, second, "merged")):
        raise CannotTellError("the second attribute is not listed")
    if (yield from _has_attribute(call, first, "merged")):
        return holds("both", custom_attributes_semantics="merge")
    return differs("the second only", custom_attributes_semantics="replace")
