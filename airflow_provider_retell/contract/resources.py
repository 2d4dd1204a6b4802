"""The resources that have checks.

To add a resource, for example voices: write ``contract/voices.py`` (or a package) with a list ``CHECKS``, and add it
here.

- Requests that do more than read need a :class:`~.check.Flag`, which the command line then offers.
- Before a check changes an object, it calls ``target.about_to_change("voice", voice_id, state)``. :data:`RESTORE` has
  the flow that restores the state.
- Before a check creates an object, it calls ``target.clean_up`` with the flow :meth:`.creation.Creation.undo_all`.
- A flow that has to wait raises :class:`~.check.NotYetError`.
- A finding names the options of the emulator that behave as seen. Options of a resource have dotted names.

``tests/contract/`` runs every check against the emulator, and fails if an option of the emulator for an undocumented
point has no check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.contract import (
    account,
    agents,
    calls,
    chats,
    contacts,
    knowledge_bases,
    organization,
    phone_numbers,
    simulations,
)
from airflow_provider_retell.contract.calls.common import CALLS
from airflow_provider_retell.contract.chats.common import CHATS
from airflow_provider_retell.contract.check import Check
from airflow_provider_retell.contract.flags import WRITE, Flag

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow

CHECKS: tuple[Check, ...] = (
    *account.CHECKS,
    *calls.CHECKS,
    *chats.CHECKS,
    *contacts.CHECKS,
    *knowledge_bases.CHECKS,
    *agents.CHECKS,
    *phone_numbers.CHECKS,
    *simulations.CHECKS,
    *organization.CHECKS,
)
"""All checks, in the order in which they run. Those that use up a quota are last."""

RESTORE: dict[str, Callable[[str, Any], Flow[bool]]] = {"call": CALLS.restore, "chat": CHATS.restore}
"""By kind of object: the flow that restores the state of an object, and returns True if it succeeded."""


def flags() -> list[Flag]:
    """Return the flags of all checks."""
    return list(dict.fromkeys([WRITE, *(flag for check in CHECKS for flag in check.flags)]))
