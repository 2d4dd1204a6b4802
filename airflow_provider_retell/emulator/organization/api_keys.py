"""API keys and their permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.organization.organization import Organization

PERMISSION_LEVELS: Mapping[str, tuple[str, ...]] = {
    "agent": ("none", "read", "edit"),
    "testing": ("none", "read", "edit"),
    "history": ("none", "read", "edit"),
    "phone": ("none", "read", "edit"),
    "export": ("none", "edit"),
    "call": ("none", "edit"),
}
"""The permission groups of a restricted key and their levels, as documented. The default level is "none"."""


@dataclass(frozen=True)
class ApiKey:
    """An API key of an organization.

    :param secret: the key itself.
    :param organization: the organization that it belongs to.
    :param permissions: its level by group; None for full access.
    :param api_key_info: allow it to read /get-api-key-info.
    :param name: its display name.
    """

    secret: str
    organization: Organization
    permissions: Mapping[str, str] | None = None
    api_key_info: bool = True
    name: str | None = None

    def __post_init__(self) -> None:
        for group, level in (self.permissions or {}).items():
            if level not in PERMISSION_LEVELS.get(group, ()):
                raise ValueError(f"no such permission: {group}={level}")

    def allows(self, group: str, level: str) -> bool:
        """Return whether the key has at least *level* in *group*."""
        if self.permissions is None:
            return True
        levels = PERMISSION_LEVELS[group]
        return levels.index(self.permissions.get(group, "none")) >= levels.index(level)
