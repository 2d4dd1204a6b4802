"""The phone numbers of an organization, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.phone_numbers.backend import Number


class PhoneNumberObjects(Objects):
    """Phone numbers, for tests."""

    @property
    def phone_numbers(self) -> dict[str, Number]:
        """The phone numbers. The dictionary is live: tests may change it."""
        return self._owner.number_backend.objects

    def add_phone_number(self, phone_number: str, **fields: Any) -> Number:
        """Add a phone number and return it. The returned dictionary is live.

        From the first number on, create-phone-call responds with 404 to a ``from_number`` that the organization
        does not have. Without numbers, it accepts any.

        :param phone_number: the number in E.164 format.
        :param fields: other fields, such as ``nickname`` and
            ``outbound_agents=[{"agent_id": ..., "agent_version": 3, "weight": 1}]``.
        :raises ValueError: if the number exists.
        """
        with self._owner.options.clock.lock:
            return self._owner.number_backend.add(phone_number=phone_number, **fields)
