"""Checks of the organization: its concurrency, and the quotas of its requests."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_provider_retell.api.calls.endpoints import list_calls
from airflow_provider_retell.api.organization.endpoints import get_concurrency
from airflow_provider_retell.api.quota import GENERAL, LISTS, Rate
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import body_of, describe, is_success, kind, see

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

USE_UP_QUOTA = Flag(
    "--use-up-quota",
    "send list requests until Retell rejects one with 429 (about 30; other clients of the organization then wait for "
    "about 10 seconds)",
)

_QUOTA_PAGE = "https://docs.retellai.com/get-started/sdk"
_MOST = 300


@CHECKS.add(
    "organization.concurrency",
    assumption="get-concurrency returns the limit and the number of current calls as integers.",
    matters="ConcurrencySensor waits for free call slots.",
    source=page("get-concurrency"),
    otherwise="The sensor fails and names the field.",
)
def concurrency(_target: Target) -> Flow[Finding]:
    """Read the concurrency."""
    request = get_concurrency()
    response = yield from see(request)
    body = body_of(response)
    names = ("current_concurrency", "concurrency_limit", "reserved_inbound_concurrency")
    if not is_success(response) or not isinstance(body, dict):
        return differs(describe(response))
    wrong = [name for name in names[:2] if kind(body.get(name)) != "a number"]
    if body.get(names[2]) is not None and kind(body[names[2]]) != "a number":
        wrong.append(names[2])
    if wrong:
        return differs(", ".join(f"{name} is {kind(body.get(name))}" for name in wrong))
    return holds("numbers" if names[2] in body else f"numbers, without {names[2]}")


@CHECKS.add(
    "organization.quota_headers",
    assumption="Responses have the headers RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset.",
    matters="The package leaves the share of the quota to other clients that they use.",
    source="an observed response",
    otherwise="The package uses its whole quota, and waits after a response with 429.",
)
def quota_headers(_target: Target) -> Flow[Finding]:
    """Look for the headers of a success."""
    response = yield from see(get_concurrency())
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    missing = [name for name in names if not response.headers.get(name, "").isdecimal()]
    if missing:
        return differs(f"no number in {', '.join(missing)}", handled=True)
    return holds("three numbers")


@CHECKS.add(
    "organization.general_quota",
    assumption=f"At least {GENERAL.requests} requests in {GENERAL.seconds} seconds are allowed on a general route.",
    matters="The package sends this many by default.",
    source=_QUOTA_PAGE,
    otherwise="The package repeats requests that get 429. Set `quota` in the connection.",
)
def general_quota(_target: Target) -> Flow[Finding]:
    """Compare the limit in the headers with the package's default."""
    return _compare((yield from see(get_concurrency())), GENERAL)


@CHECKS.add(
    "organization.list_quota",
    assumption=f"At least {LISTS.requests} requests in {LISTS.seconds} seconds are allowed on a list route.",
    matters="The package sends this many by default.",
    source=_QUOTA_PAGE,
    question="Does Retell allow 15 or 30 list requests in 10 seconds?",
    otherwise="The package repeats requests that get 429. Set `list_quota` in the connection.",
)
def list_quota(_target: Target) -> Flow[Finding]:
    """Compare the limit in the headers with the package's default."""
    return _compare((yield from see(list_calls(limit=1))), LISTS)


def _compare(response: Response, rate: Rate) -> Finding:
    limit = response.headers.get("RateLimit-Limit", "")
    if not limit.isdecimal():
        raise CannotTellError("no number in RateLimit-Limit")
    seen = f"RateLimit-Limit is {int(limit)}"
    return holds(seen) if int(limit) >= rate.requests else differs(seen, handled=True)


def _refused(_target: Target) -> Flow[Response]:
    """Send list requests until one gets 429."""
    request = list_calls(limit=1)
    for _ in range(_MOST):
        response = yield from see(request, 429)
        if response.status == 429:
            return response
    raise CannotTellError(f"{_MOST} list requests without 429")


@CHECKS.add(
    "organization.throttle_headers",
    assumption="A response with 429 has the header Retry-After with a number of seconds.",
    matters="Requests wait for the time that Retell asks for.",
    source="an observed response",
    question="Which headers does a response with 429 have?",
    otherwise="Requests wait for RateLimit-Reset or with exponential backoff.",
    flags=(USE_UP_QUOTA,),
    options=("throttle_headers",),
    client="hasty",
)
def throttle_headers(target: Target) -> Flow[Finding]:
    """Use up the quota of lists, and look at the headers."""
    headers = (yield from target.once(_refused)).headers
    style = _style(headers)
    seen = ", ".join(
        name for name in ("Retry-After", "RateLimit-Reset", "X-RateLimit-Limiter") if name in headers
    )
    if style == "retry-after":
        return holds(seen, throttle_headers=style)
    return differs(f"{seen or 'none'} ({style})", handled=True, throttle_headers=style)


def _style(headers: Mapping[str, str]) -> str:
    value = headers.get("Retry-After", "")
    if value.replace(".", "", 1).isdecimal():
        return "retry-after"
    if email.utils.parsedate_tz(value):
        return "http-date"
    return "ratelimit-reset" if headers.get("RateLimit-Reset", "").isdecimal() else "none"


@CHECKS.add(
    "organization.separate_quotas",
    assumption="Each route has its own quota.",
    matters="Reading and updating calls do not slow each other down.",
    source=_QUOTA_PAGE,
    otherwise="The package repeats requests that get 429. Set a lower `quota` in the connection.",
    flags=(USE_UP_QUOTA,),
    client="hasty",
)
def separate_quotas(target: Target) -> Flow[Finding]:
    """Use up the quota of lists, and read the concurrency."""
    yield from target.once(_refused)
    response = yield from see(get_concurrency(), 429)
    if response.status == 429:
        return differs(describe(response), handled=True)
    return holds(f"get-concurrency: {response.status}")
