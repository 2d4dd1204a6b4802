"""The endpoints that read and change phone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.paging import page
from airflow_provider_retell.emulator.phone_numbers import bodies
from airflow_provider_retell.emulator.responses import Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_READ = ("phone", "read")


@ROUTES.add("GET", "/get-phone-number/{phone_number}", _READ)
def get_number(org: Organization, request: Request) -> Response:
    """Return a number."""
    return json_response(200, org.number_backend.find(request.ids["phone_number"]))


@ROUTES.add("PATCH", "/update-phone-number/{phone_number}", ("phone", "edit"), bodies.UPDATE_NUMBER)
def update_number(org: Organization, request: Request) -> Response:
    """Change a number. A list of agents replaces the whole list."""
    numbers = org.number_backend
    number = numbers.find(request.ids["phone_number"])
    numbers.check_agents(request.body)
    return json_response(200, numbers.change(number, request.body))


@ROUTES.add("GET", "/v2/list-phone-numbers", _READ)
def list_numbers(org: Organization, request: Request) -> Response:
    """Return one page of numbers."""
    items, rest = page(
        org.number_backend.objects,
        request.query,
        order=lambda number: number["last_modification_timestamp"],
    )
    return json_response(200, {"items": items, **rest})
