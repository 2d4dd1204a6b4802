"""Checks of update-call on metadata. They change the metadata of a named call, and the run restores it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.calls.endpoints import update_call
from airflow_provider_retell.api.encode import MAX_METADATA_BYTES, MAX_SAFE_INTEGER, dump, same_json
from airflow_provider_retell.contract.calls.common import CALLS, UPDATES, WRITES
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.findings import Finding, differs, holds
from airflow_provider_retell.contract.records import KEY
from airflow_provider_retell.contract.seeing import describe, is_success, kind, see, with_body

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_UPDATE = page("update-call")

CHECKS.add(
    "calls.update_returns_call",
    assumption="update-call returns the call with its new metadata.",
    matters="The package compares this response with the request.",
    source=_UPDATE,
    otherwise="The task fails, because the response does not have the values that were sent.",
    flags=WRITES,
)(UPDATES.response)

CHECKS.add(
    "calls.metadata_replaced",
    assumption="update-call replaces all metadata.",
    matters="`metadata_mode` defines which keys remain.",
    source=NOT_DOCUMENTED,
    question="Does update-call replace or merge metadata?",
    otherwise="`merge` and `fill` are correct either way. `replace` fails with an explanation if other keys remain.",
    flags=WRITES,
    options=("metadata_semantics",),
)(UPDATES.replaces)

CHECKS.add(
    "calls.empty_metadata_clears",
    assumption="Empty metadata, `{}`, removes all metadata.",
    matters="`clear_metadata=True` sends it.",
    source=NOT_DOCUMENTED,
    question="Does empty metadata remove all metadata?",
    otherwise="`clear_metadata=True` fails and names the remaining keys.",
    flags=WRITES,
    options=("empty_metadata_clears", "metadata_semantics"),
)(UPDATES.empty_clears)

CHECKS.add(
    "calls.null_is_kept",
    assumption="update-call keeps metadata values that are null.",
    matters="Bulk updates compare nulls in rows with the metadata of calls.",
    source=NOT_DOCUMENTED,
    question="Does update-call keep nulls in metadata?",
    otherwise="Nothing changes, because the package treats null and a missing key as equal.",
    flags=WRITES,
    options=("drops_null",),
)(UPDATES.keeps_null)


_VALUES: dict[str, Any] = {
    "text": 'ä 💚 " \\ \u2028',
    "integer": MAX_SAFE_INTEGER,
    "fraction": 0.1,
    "boolean": True,
    "list": [1, "a", None, {"b": [False]}],
    "object": {"Key": {"key": ""}},
}


@CHECKS.add(
    "calls.values_are_kept",
    assumption="JSON values in metadata do not change: nested values, Unicode, integers up to 2**53 - 1.",
    matters="The package compares the response with the values that were sent.",
    source=page("get-call"),
    otherwise="The task fails and names the keys that differ.",
    flags=WRITES,
)
def values_are_kept(target: Target) -> Flow[Finding]:
    """Write a value of each kind."""
    call = yield from CALLS.writable(target)
    metadata = yield from UPDATES.write(call, {KEY: _VALUES})
    stored = metadata.get(KEY)
    if not isinstance(stored, dict):
        return differs(kind(stored))
    wrong = [name for name, value in _VALUES.items() if not same_json(stored.get(name), value)]
    return differs(", ".join(wrong)) if wrong else holds(f"{len(_VALUES)} kinds of values")


CHECKS.add(
    "calls.update_is_read_at_once",
    assumption="get-call returns an update immediately.",
    matters="`merge` reads the metadata before it writes them.",
    source=NOT_DOCUMENTED,
    question="Does get-call return an update immediately?",
    otherwise="Two merges in quick succession can lose a key.",
    flags=WRITES,
)(UPDATES.read_at_once)


@CHECKS.add(
    "calls.update_is_listed_at_once",
    assumption="list-calls returns an update immediately.",
    matters="Bulk updates read the metadata from lists before they write them.",
    source=NOT_DOCUMENTED,
    question="Does list-calls return an update immediately?",
    otherwise="Two bulk updates of the same calls in quick succession can lose keys.",
    flags=WRITES,
    options=("list_lag",),
)
def update_is_listed_at_once(target: Target) -> Flow[Finding]:
    """Write a key, and list the call until it shows it."""
    found = yield from UPDATES.listed_at_once(target)
    return replace(found, options={"list_lag": 0.0 if found.verdict == "holds" else 60.0})


def _of_size(size: int) -> dict[str, str]:
    return {KEY: "x" * (size - len(dump({KEY: ""})))}


@CHECKS.add(
    "calls.metadata_limit",
    assumption=f"update-call accepts metadata of {MAX_METADATA_BYTES:,} bytes.",
    matters="The package accepts metadata up to this size.",
    source=_UPDATE,
    otherwise="Retell rejects large metadata, and the task fails with Retell's reason.",
    flags=WRITES,
)
def metadata_limit(target: Target) -> Flow[Finding]:
    """Write as much metadata as the package allows."""
    call = yield from CALLS.writable(target)
    response = yield from see(update_call(call.call_id, metadata=_of_size(MAX_METADATA_BYTES)), 413)
    return holds(describe(response)) if is_success(response) else differs(describe(response))


@CHECKS.add(
    "calls.metadata_above_limit",
    assumption=f"update-call rejects metadata of more than {MAX_METADATA_BYTES:,} bytes.",
    matters="The package rejects larger metadata before it sends anything.",
    source=_UPDATE,
    question='Does "50 kB" mean 50,000 or 51,200 bytes?',
    otherwise="The package rejects metadata that Retell would accept.",
    flags=WRITES,
    options=("metadata_max_bytes",),
)
def metadata_above_limit(target: Target) -> Flow[Finding]:
    """Write a little more metadata than the package allows."""
    call = yield from CALLS.writable(target)
    largest = MAX_METADATA_BYTES
    for size in (MAX_METADATA_BYTES + 1, 51_200, 51_201):
        request = update_call(call.call_id, metadata={KEY: ""})
        response = yield from see(with_body(request, metadata=_of_size(size)), 413)
        if not is_success(response):
            break
        largest = size
    else:
        return differs(f"{largest:,} bytes are accepted", handled=True)
    if largest == MAX_METADATA_BYTES:
        return holds(describe(response), metadata_max_bytes=largest)
    return differs(f"{largest:,} bytes are accepted", handled=True, metadata_max_bytes=largest)
