"""Checks of the phone numbers of the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.phone_numbers.endpoints import list_phone_numbers
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.findings import Finding, differs, holds
from airflow_provider_retell.contract.seeing import documented

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()


@CHECKS.add(
    "phone_numbers.list_has_documented_form",
    assumption="list-phone-numbers returns `items` and `has_more`, with the documented types.",
    matters="PublishAgentVersionOperator warns about phone numbers that use another version.",
    source=page("list-phone-numbers"),
    otherwise="The task fails and names the field.",
)
def list_has_documented_form(_target: Target) -> Flow[Finding]:
    """List phone numbers."""
    found = yield from documented(list_phone_numbers(limit=50))
    return differs(f"{len(found.malformed)} numbers") if found.malformed else holds("items and has_more")
