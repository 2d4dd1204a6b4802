"""Checks of list-chats: pages and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.chats.endpoints import list_chats
from airflow_provider_retell.api.chats.fields import TRANSCRIPTS
from airflow_provider_retell.contract.chats.common import by_ids, ids, listed, sample
from airflow_provider_retell.contract.check import (
    NOT_DOCUMENTED,
    Checks,
    Finding,
    SkipError,
    differs,
    holds,
    page,
)
from airflow_provider_retell.contract.records import accepted_ids, check_found, check_list_form
from airflow_provider_retell.contract.seeing import describe
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_LIST = page("list-chats")
_PAGE = 1000


@CHECKS.add(
    "chats.list_has_documented_form",
    assumption="list-chats returns `items`, `has_more` and chats with the documented types.",
    matters="Bulk updates, exports and ChatEventTrigger list chats.",
    source=_LIST,
    otherwise="The task fails and names the field. If one chat is malformed, a bulk update fails its row, and an "
    "export writes it as received.",
)
def list_has_documented_form(_target: Target) -> Flow[Finding]:
    """List chats without criteria."""
    return (yield from check_list_form("chat", list_chats(limit=50)))


@CHECKS.add(
    "chats.list_leaves_out_transcripts",
    assumption="list-chats leaves out transcripts.",
    matters="Exports contain transcripts only with `whole_chats=True`.",
    source=_LIST,
    otherwise="Exports contain transcripts unless `fields` leaves them out.",
)
def list_leaves_out_transcripts(target: Target) -> Flow[Finding]:
    """Search the newest chats that have ended for transcripts."""
    chats = yield from sample(target)
    shown = sorted(TRANSCRIPTS & set().union(*chats))
    return differs(", ".join(shown)) if shown else holds("no transcript")


@CHECKS.add(
    "chats.list_pages",
    assumption="`pagination_key` continues after the last chat of a page, and the last page has `has_more: false`.",
    matters="Exports and bulk updates read all pages.",
    source=_LIST,
    otherwise="The task fails at the page whose key is missing or repeated, so that no chat is lost silently.",
)
def list_pages(target: Target) -> Flow[Finding]:
    """Read up to three chats one by one."""
    wanted = ids((yield from sample(target)))[:3]
    if len(wanted) < 2:
        raise SkipError("the organization has fewer than two chats that have ended")
    body, found = yield from listed(filter_criteria=by_ids(wanted), limit=1)
    seen = ids(found)
    for number in range(1, len(wanted)):
        if body.get("has_more") is not True or not isinstance(body.get("pagination_key"), str):
            return differs(f"page {number} of {len(wanted)} has no next page")
        key = body["pagination_key"]
        body, found = yield from listed(filter_criteria=by_ids(wanted), limit=1, pagination_key=key)
        seen += ids(found)
    if sorted(seen) != sorted(wanted):
        return differs("pages repeat or lack chats")
    return differs("the last page promises more") if body.get("has_more") else holds(f"{len(wanted)} pages")


@CHECKS.add(
    "chats.list_by_ids",
    assumption="A filter with ids returns all of these chats that exist.",
    matters="Bulk updates read the chats of 1,000 rows with one request.",
    source=_LIST,
    question="Does a list response contain every requested chat?",
    otherwise="The package reads missing chats one by one, until twenty of them do not exist.",
)
def list_by_ids(target: Target) -> Flow[Finding]:
    """List the newest chats by their ids."""
    wanted = ids((yield from sample(target)))
    _, found = yield from listed(filter_criteria=by_ids(wanted), limit=_PAGE)
    return check_found("chat", wanted, ids(found))


@CHECKS.add(
    "chats.ids_per_filter",
    assumption=f"A filter of list-chats can contain {_PAGE:,} ids.",
    matters="Bulk updates read the chats of 1,000 rows with one request.",
    source=NOT_DOCUMENTED,
    question="How many ids can one request to list chats contain?",
    otherwise="The package halves a list that Retell rejects, down to single chats.",
    options=("chats.max_ids_per_filter",),
)
def ids_per_filter(target: Target) -> Flow[Finding]:
    """List by as many ids as possible. Most of them do not exist."""
    wanted = ids((yield from sample(target))) + [f"chat_{number:032x}" for number in range(_PAGE)]
    accepted, other = yield from accepted_ids(
        lambda count: list_chats(filter_criteria=by_ids(wanted[:count]), limit=_PAGE), _PAGE
    )
    if other is not None:
        return differs(f"{accepted} ids: {describe(other)}")
    if accepted == _PAGE:
        return holds(f"{_PAGE} ids", options={"chats.max_ids_per_filter": None})
    return differs(f"{accepted} ids", handled=True, options={"chats.max_ids_per_filter": accepted})


@CHECKS.add(
    "chats.list_by_end",
    assumption="A filter on end_timestamp returns the chats that ended at or after that time.",
    matters="ChatEventTrigger polls with this filter.",
    source=_LIST,
    otherwise="The trigger misses chats, or reads more than it needs.",
)
def list_by_end(target: Target) -> Flow[Finding]:
    """List from the end of a known chat on."""
    chats = [chat for chat in (yield from sample(target)) if isinstance(chat.get("end_timestamp"), int)]
    chat = one(chats, "no chat has end_timestamp")
    since = chat["end_timestamp"]
    criteria = {"end_timestamp": {"type": "number", "op": "ge", "value": since}}
    _, found = yield from listed(filter_criteria=criteria, limit=_PAGE)
    if any(not isinstance(item.get("end_timestamp"), int) or item["end_timestamp"] < since for item in found):
        return differs("earlier chats too")
    if chat["chat_id"] not in ids(found):
        return differs("the chat that ended then is missing")
    return holds("that chat, and none before it")
