"""Examples of the endpoints of phone numbers."""

from __future__ import annotations

from airflow_provider_retell.api.phone_numbers.models import PhoneNumber, PhoneNumberPage
from wire import Example

BOUND = [{"agent_id": "agent_1", "agent_version": 0, "weight": 1}]

EXAMPLES = [
    Example(
        "get_phone_number",
        ("+14155550100",),
        {},
        "GET /get-phone-number/%2B14155550100",
        None,
        200,
        PhoneNumber,
    ),
    Example(
        "update_phone_number",
        ("+14155550100", {"outbound_agents": BOUND}),
        {},
        "PATCH /update-phone-number/%2B14155550100",
        {"outbound_agents": BOUND},
        200,
        PhoneNumber,
    ),
    Example(
        "list_phone_numbers_page",
        (),
        {"limit": 2, "pagination_key": None},
        "GET /v2/list-phone-numbers?limit=2",
        None,
        200,
        PhoneNumberPage,
    ),
]
