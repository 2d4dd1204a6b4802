"""Sample data: a phone number of the organization."""

from __future__ import annotations

from typing import Any

Number = dict[str, Any]
"""A phone number as the emulator stores it: Retell's object."""


def bought(phone_number: str) -> Number:
    """Return a number that was bought from Retell and is bound to no agent."""
    return {
        "phone_number": phone_number,
        "phone_number_type": "retell-twilio",
        "phone_number_pretty": phone_number,
        "inbound_agents": [],
        "outbound_agents": [],
    }
