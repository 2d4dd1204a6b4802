"""Phone numbers of the organization as Retell returns them.

Source of the fields: https://docs.retellai.com/api-references/get-phone-number and the types of Retell's Python SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from airflow_provider_retell.api.response_model import Page, ResponseModel

__all__ = ["BoundAgent", "PhoneNumber", "PhoneNumberPage"]

BINDINGS = ("inbound_agents", "outbound_agents", "inbound_sms_agents", "outbound_sms_agents")
"""The fields of a phone number that bind it to agents."""


class BoundAgent(ResponseModel):
    """An agent that a phone number uses.

    ``agent_version`` is a version number, ``latest``, ``latest_published`` or a tag.
    """

    loggable: ClassVar[tuple[str, ...]] = ("agent_id", "agent_version")

    agent_id: str
    weight: float | None = None
    agent_version: int | str | None = None


class PhoneNumber(ResponseModel):
    """A phone number and the agents that it is bound to."""

    identity: ClassVar[tuple[str, ...]] = ("phone_number",)
    loggable: ClassVar[tuple[str, ...]] = ("nickname", "last_digits")

    phone_number: str
    nickname: str | None = None
    inbound_agents: list[BoundAgent] | None = None
    outbound_agents: list[BoundAgent] | None = None
    inbound_sms_agents: list[BoundAgent] | None = None
    outbound_sms_agents: list[BoundAgent] | None = None

    @property
    def last_digits(self) -> str:
        """The last four digits, which may be logged."""
        return last_digits(self.phone_number)

    @property
    def label(self) -> str:
        """The nickname and the last four digits, for logs and messages."""
        return f"{self.nickname} (…{self.last_digits})" if self.nickname else f"…{self.last_digits}"

    def bindings(self) -> Iterator[tuple[str, BoundAgent]]:
        """Yield the name of the field and the agent, for every agent that the number is bound to."""
        for name in BINDINGS:
            for agent in getattr(self, name) or ():
                yield name, agent


class PhoneNumberPage(Page[PhoneNumber]):
    """One page of list-phone-numbers."""


def last_digits(number: str) -> str:
    """Return the last four digits of *number*. A number of fewer digits, such as a SIP name, is not shown at all."""
    digits = "".join(character for character in number if character.isdigit())
    return digits[-4:] if len(digits) > 6 else "****"
