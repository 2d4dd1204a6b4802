"""The resources that have checks.

To add a resource, for example chats: write ``contract/chats.py`` (or a package) with a list ``CHECKS`` and add it here.
Requests that need more than reading get a :class:`~.check.Flag`, which the command line then offers. If checks change
objects, call ``target.about_to_change("chat", chat_id, state)`` first, and add the flow that restores the state to
``RESTORE``. ``tests/contract/`` runs every check against the emulator, and fails if an option of the emulator for an
undocumented point has no check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.contract import account, calls, organization
from airflow_provider_retell.contract.check import WRITE, Check, Flag

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow

CHECKS: tuple[Check, ...] = (*account.CHECKS, *calls.CHECKS, *organization.CHECKS)
"""All checks, in the order in which they run. Those that use up a quota are last."""

RESTORE: dict[str, Callable[[str, Any], Flow[bool]]] = {"call": calls.restore}
"""By kind of object: the flow that restores the state of an object, and returns True if it succeeded."""


def flags() -> list[Flag]:
    """Return the flags of all checks."""
    return list(dict.fromkeys([WRITE, *(flag for check in CHECKS for flag in check.flags)]))
