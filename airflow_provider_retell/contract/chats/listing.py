"""Checks of list-chats: pages and filters."""

from __future__ import annotations

from airflow_provider_retell.contract.chats.common import LISTS
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.list_checks import PAGE

CHECKS = Checks()

_LIST = page("list-chats")

CHECKS.add(
    "chats.list_has_documented_form",
    assumption="list-chats returns `items`, `has_more` and chats with the documented types.",
    matters="Bulk updates, exports and ChatEventTrigger list chats.",
    source=_LIST,
    otherwise="The task fails and names the field. If one chat is malformed, a bulk update fails its row, and an "
    "export writes it as received.",
)(LISTS.form)

CHECKS.add(
    "chats.list_leaves_out_transcripts",
    assumption="list-chats leaves out transcripts.",
    matters="Exports contain transcripts only with `whole_chats=True`.",
    source=_LIST,
    otherwise="Exports contain transcripts unless `fields` leaves them out.",
)(LISTS.transcripts)

CHECKS.add(
    "chats.list_pages",
    assumption="`pagination_key` continues after the last chat of a page, and the last page has `has_more: false`.",
    matters="Exports and bulk updates read all pages.",
    source=_LIST,
    otherwise="The task fails at the page whose key is missing or repeated, so that no chat is lost silently.",
)(LISTS.pages)

CHECKS.add(
    "chats.list_by_ids",
    assumption="A filter with ids returns all of these chats that exist.",
    matters="Bulk updates read the chats of 1,000 rows with one request.",
    source=_LIST,
    question="Does a list response contain every requested chat?",
    otherwise="The package reads missing chats one by one, until twenty of them do not exist.",
)(LISTS.by_ids)

CHECKS.add(
    "chats.ids_per_filter",
    assumption=f"A filter of list-chats can contain {PAGE:,} ids.",
    matters="Bulk updates read the chats of 1,000 rows with one request.",
    source=NOT_DOCUMENTED,
    question="How many ids can one request to list chats contain?",
    otherwise="The package halves a list that Retell rejects, down to single chats.",
    options=("chats.max_ids_per_filter",),
)(LISTS.ids_per_filter)

CHECKS.add(
    "chats.list_by_end",
    assumption="A filter on end_timestamp returns the chats that ended at or after that time.",
    matters="ChatEventTrigger polls with this filter.",
    source=_LIST,
    otherwise="The trigger misses chats, or reads more than it needs.",
)(LISTS.by_end)
