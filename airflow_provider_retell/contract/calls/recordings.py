"""Checks of the links to recordings, and of the host that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_retell.api.calls.endpoints import get_call
from airflow_provider_retell.api.calls.files import FILES
from airflow_provider_retell.api.calls.recordings import size_of
from airflow_provider_retell.contract.calls.common import CALLS
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks
from airflow_provider_retell.contract.files import first_byte
from airflow_provider_retell.contract.findings import CannotTellError, Finding, differs, holds
from airflow_provider_retell.contract.seeing import body_of, describe, is_success, see
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_READS = 5
"""How many calls to read in search of one with a recording."""

# The time at which a link expires: CloudFront, S3, Google Cloud Storage, Azure.
_EXPIRY = frozenset({"expires", "x-amz-expires", "x-goog-expires", "se"})


def links(call: dict[str, Any]) -> dict[str, str]:
    """Return the links to the files of a call, by field."""
    found = {kind.field: call.get(kind.field) for kind in FILES.values()}
    return {field: link for field, link in found.items() if isinstance(link, str) and link}


def _recorded(target: Target) -> Flow[tuple[dict[str, Any], dict[str, Any]]]:
    """Return a call with a recording, as get-call and as list-calls return it."""
    # Calls with links come first, and the others keep their order.
    listed = sorted((yield from CALLS.sample(target)), key=lambda call: not links(call))
    connected = [call for call in listed if call.get("call_status") == "ended"]
    found = []
    for item in connected[:_READS]:
        response = yield from see(get_call(item["call_id"]))
        call = body_of(response)
        if not is_success(response) or not isinstance(call, dict):
            raise CannotTellError(f"get-call: {describe(response)}")
        if "recording_url" in links(call):
            found.append((call, item))
            break
    return one(found, "none of the newest calls has a recording")


@CHECKS.add(
    "calls.recording_links_are_listed",
    assumption="list-calls returns the links to recordings and logs that get-call returns.",
    matters="ArchiveRecordingsOperator takes the links from lists.",
    source=NOT_DOCUMENTED,
    question="Does list-calls return all links to recordings?",
    otherwise="The operator reads each call whose link is missing, with one more request.",
    options=("lists_links",),
)
def recording_links_are_listed(target: Target) -> Flow[Finding]:
    """Compare the fields with links of a call in both responses."""
    call, item = yield from target.once(_recorded)
    missing = links(call).keys() - links(item).keys()
    if not missing:
        return holds(f"{len(links(item))} links", lists_links="all")
    if not links(item):
        return differs("no links", handled=True, lists_links="none")
    options = {"lists_links": "others"} if missing == {"recording_url"} else {}
    return differs(f"without {', '.join(sorted(missing))}", handled=True, options=options)


@CHECKS.add(
    "calls.recording_links_do_not_expire",
    assumption="Links to recordings contain no expiry, unless the agent signs them with `opt_in_signed_url`.",
    matters="The rows of ArchiveRecordingsOperator can have links of an older export.",
    source=NOT_DOCUMENTED,
    question="Do links to recordings expire although the agent does not sign them?",
    otherwise="If the link of a row has expired, the operator reads the call and uses its new link.",
    options=("links_expire",),
)
def recording_links_do_not_expire(target: Target) -> Flow[Finding]:
    """Look for an expiry in the link to a recording."""
    call, _ = yield from target.once(_recorded)
    one([call] if call.get("opt_in_signed_url") is not True else [], "the agent signs its links")
    try:
        names = parse_qs(urlsplit(call["recording_url"]).query, keep_blank_values=True)
    except ValueError:
        raise CannotTellError("the link is not a URL") from None
    if {name.lower() for name in names} & _EXPIRY:
        return differs("an expiry in the link", handled=True, links_expire=True)
    return holds("no expiry in the link", links_expire=False)


@CHECKS.add(
    "calls.recordings_have_ranges",
    assumption="The host of a recording responds to a request for one byte with 206 and the size of the file, without "
    "an API key.",
    matters="ArchiveRecordingsOperator compares this size with the file that exists.",
    source=NOT_DOCUMENTED,
    question="Does the host of recordings support range requests?",
    otherwise="With 200 and a Content-Length, the operator closes the connection after the headers. Without a size, it "
    "copies the recording again in each run. With another status, the call fails.",
    options=("serves_ranges",),
)
def recordings_have_ranges(target: Target) -> Flow[Finding]:
    """Request the first byte of a recording."""
    call, _ = yield from target.once(_recorded)
    response = first_byte(call["recording_url"])
    if response.status >= 500 or response.status == 429:
        raise CannotTellError(f"{response.status} from the host of the recording")
    if response.status not in (200, 206):
        return differs(str(response.status))
    if size_of(response.status, response.headers) is None:
        return differs(f"{response.status} without the size of the file")
    if response.status == 200:
        return differs("200 with the size", handled=True, serves_ranges=False)
    return holds("206 with the size", serves_ranges=True)
