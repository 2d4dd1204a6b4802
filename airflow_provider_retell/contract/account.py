"""Checks that concern all endpoints: the API key, errors and unknown paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import get_call, list_calls, update_call
from airflow_provider_retell.api.organization.endpoints import get_api_key_info, get_concurrency
from airflow_provider_retell.api.request import Request
from airflow_provider_retell.contract.calls.common import CALLS
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, SDK, Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import (
    NOT_FOUND,
    REJECTED,
    describe,
    fields_of,
    is_success,
    see,
    with_body,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

RESTRICTED_KEY = Flag(
    "--restricted-api-key-env",
    "name of an environment variable with an API key that may read the call history and nothing else",
    "NAME",
)


def _has_message(response: Response) -> bool:
    fields = fields_of(response)
    return any(isinstance(fields.get(name), str) for name in ("message", "error_message"))


@CHECKS.add(
    "account.wrong_key",
    assumption="A wrong API key gets 401, with the reason as text in `message`.",
    matters="A task with a wrong key fails at once, and waits read the connection again.",
    source="an observed response",
    otherwise="The task fails with another error, and may use up its retries first.",
    client="wrong key",
)
def wrong_key(_target: Target) -> Flow[Finding]:
    """Send a request with a key that does not exist."""
    response = yield from see(get_concurrency(), 401, 402, 403)
    good = response.status == 401 and _has_message(response)
    return holds(describe(response)) if good else differs(describe(response))


@CHECKS.add(
    "account.missing_key",
    assumption="A request without a key gets 401, with the reason as text in `error_message`.",
    matters="Error messages quote Retell's reason.",
    source="an observed response",
    otherwise="The error message lacks Retell's reason.",
    client="no key",
)
def missing_key(_target: Target) -> Flow[Finding]:
    """Send a request without an Authorization header."""
    response = yield from see(get_concurrency(), 401, 402, 403)
    if response.status == 401 and _has_message(response):
        return holds(describe(response))
    return differs(describe(response), handled=True)


@CHECKS.add(
    "account.identity",
    assumption="get-api-key-info returns `org_id`.",
    matters="The Test button of the connection form shows the organization.",
    source=SDK,
    otherwise="The Test button shows the concurrency instead.",
)
def identity(_target: Target) -> Flow[Finding]:
    """Read the organization of the key."""
    response = yield from see(get_api_key_info(), 403, 404)
    if is_success(response) and isinstance(fields_of(response).get("org_id"), str):
        return holds(f"{response.status} with org_id")
    return differs(describe(response), handled=response.status in (403, 404))


@CHECKS.add(
    "account.rejected_body",
    assumption="An invalid body gets 400 or 422, with the reason as text in `message`.",
    matters="Error messages quote Retell's reason.",
    source=page("list-calls"),
    otherwise="The error message lacks Retell's reason.",
)
def rejected_body(_target: Target) -> Flow[Finding]:
    """List calls with a limit that is not a number."""
    request = list_calls(limit=1)
    response = yield from see(with_body(request, limit="one"))
    if is_success(response):
        return differs(describe(response), handled=True)
    good = response.status in REJECTED and _has_message(response)
    return holds(describe(response)) if good else differs(describe(response))


@CHECKS.add(
    "account.unknown_path",
    assumption="An unknown path gets 404 with a body that is not JSON.",
    matters="The error message distinguishes a wrong host from an unknown id.",
    source="an observed response",
    otherwise="With a wrong host, the error message recommends checking the id.",
)
def unknown_path(_target: Target) -> Flow[Finding]:
    """Request a path that never existed."""
    request = Request("unknown path", "GET", "/contract-check-of-an-unknown-path", lambda body: body)
    response = yield from see(request)
    if response.status == 404 and not response.is_json:
        return holds(describe(response))
    return differs(describe(response), handled=True)


@CHECKS.add(
    "account.restricted_key",
    assumption="A restricted key gets 403 for a request that it has no permission for.",
    matters="The error message recommends giving the key the permission.",
    source=NOT_DOCUMENTED,
    question="Does a restricted key get 401 or 403?",
    otherwise="With 401, the error message recommends checking the key instead of its permissions.",
    flags=(RESTRICTED_KEY,),
    options=("restricted_key_status",),
    client="restricted key",
)
def restricted_key(_target: Target) -> Flow[Finding]:
    """Update a call that does not exist, with a key that may not update any."""
    response = yield from see(update_call(CALLS.unknown_id, metadata={}), 401, 403)
    if response.status in NOT_FOUND:
        raise CannotTellError("the key may update calls")
    if response.status == 403:
        return holds(describe(response), restricted_key_status=403)
    if response.status == 401:
        return differs(describe(response), handled=True, restricted_key_status=401)
    return differs(describe(response))


@CHECKS.add(
    "account.restricted_key_identity",
    assumption="A restricted key can read get-api-key-info.",
    matters="The Test button of the connection form shows the organization.",
    source=NOT_DOCUMENTED,
    question="Can a restricted key read get-api-key-info?",
    otherwise="With 403, the Test button shows the concurrency instead. With 401, it says that the key is wrong.",
    flags=(RESTRICTED_KEY,),
    client="restricted key",
)
def restricted_key_identity(_target: Target) -> Flow[Finding]:
    """Read the organization of a restricted key."""
    response = yield from see(get_api_key_info(), 401, 403)
    if is_success(response):
        return holds(describe(response))
    return differs(describe(response), handled=response.status == 403)


@CHECKS.add(
    "account.restricted_key_reads",
    assumption="A key that is restricted to reading the call history can read calls.",
    matters="A read-only key is enough for exports, sensors and event triggers.",
    source=NOT_DOCUMENTED,
    otherwise="These need a key with more permissions.",
    flags=(RESTRICTED_KEY,),
    client="restricted key",
)
def restricted_key_reads(_target: Target) -> Flow[Finding]:
    """Read a call that does not exist."""
    response = yield from see(get_call(CALLS.unknown_id), 401, 403)
    good = response.status in NOT_FOUND
    return holds(describe(response)) if good else differs(describe(response))
