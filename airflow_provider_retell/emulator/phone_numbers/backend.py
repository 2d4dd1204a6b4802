"""The phone numbers of one organization."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend, assign
from airflow_provider_retell.emulator.phone_numbers.bodies import BINDINGS
from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.agents.backend import AgentBackend
    from airflow_provider_retell.emulator.options import Options

Number = dict[str, Any]
"""A phone number as the emulator stores it: Retell's object."""


class PhoneNumberBackend(Backend[Number]):
    """The phone numbers of one organization.

    :param agents: the agents of the organization.
    """

    table = "phone-number"

    def __init__(self, options: Options, agents: AgentBackend) -> None:
        super().__init__(options)
        self.agents = agents

    def add(self, *, phone_number: str = "", **fields: Any) -> Number:
        """Add a number and return it; see ``Organization.add_phone_number``."""
        if not phone_number:
            raise ValueError("phone_number must not be empty")
        if phone_number in self.objects:
            raise ValueError("the phone number exists already")
        number = {
            # As a number that was bought from Retell and is bound to no agent.
            "phone_number": phone_number,
            "phone_number_type": "retell-twilio",
            "phone_number_pretty": phone_number,
            "inbound_agents": [],
            "outbound_agents": [],
            "last_modification_timestamp": self.options.clock.now_ms(),
            **fields,
        }
        self.objects[phone_number] = {name: value for name, value in number.items() if value is not None}
        return self.objects[phone_number]

    def edit(self, object_id: str, **fields: Any) -> Number:
        """Change fields of a number and return it; None removes a field."""
        if object_id not in self.objects:
            raise LookupError("there is no such phone number")
        return self.change(self.objects[object_id], fields)

    def change(self, number: Number, fields: Mapping[str, Any]) -> Number:
        """Set *fields*; None removes a field."""
        assign(number, fields)
        number["last_modification_timestamp"] = self.options.clock.now_ms()
        return number

    def check_agents(self, fields: Mapping[str, Any]) -> None:
        """Raise the error for weights that do not add up to 1. That unknown agents are a 404 is our guess."""
        for name in BINDINGS:
            bound = fields.get(name) or []
            if bound and not math.isclose(sum(agent["weight"] for agent in bound), 1):
                raise ApiError(400, f"body/{name} weights must add up to 1")
            for agent in bound:
                self.agents.find(agent["agent_id"])
