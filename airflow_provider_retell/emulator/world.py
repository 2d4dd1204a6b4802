"""All that an emulator knows: its organizations, their keys, the faults and the recorded requests."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.faults import Faults
from airflow_provider_retell.emulator.organization import ApiKey, Organization
from airflow_provider_retell.emulator.recorder import Recorder
from airflow_provider_retell.emulator.routes import ROUTE_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.quota import Limit

DEFAULT_ORGANIZATION = "default"


class World:
    """The state behind the server, without any socket."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, ApiKey] = {}
        self.faults = Faults(ROUTE_NAMES)
        self.recorder = Recorder(options.record_requests)
        options.clock.on_advance(self.catch_up)
        self.add_organization(
            DEFAULT_ORGANIZATION,
            api_key=options.api_key,
            custom_attributes=options.custom_attributes,
            quotas=options.quotas,
            concurrency=options.concurrency,
        )

    @property
    def default(self) -> Organization:
        """The organization that is there from the start."""
        return self.organizations[DEFAULT_ORGANIZATION]

    def add_organization(
        self,
        name: str,
        *,
        api_key: str | None,
        custom_attributes: Collection[str],
        quotas: Mapping[str, Limit | None] | None,
        concurrency: int,
    ) -> Organization:
        """Add an organization and its full-access key (a random one unless given)."""
        if name in self.organizations:
            raise ValueError(f"there is an organization {name!r} already")
        if concurrency < 0:
            raise ValueError("concurrency must be 0 or more")
        secret = api_key or f"key_{secrets.token_hex(14)}"
        organization = Organization(
            name,
            self.options,
            api_key=secret,
            routes=ROUTE_NAMES,
            custom_attributes=custom_attributes,
            quotas=quotas,
            concurrency=concurrency,
        )
        self.add_key(ApiKey(secret, organization))
        self.organizations[name] = organization
        return organization

    def add_key(self, key: ApiKey) -> None:
        """Add a key; ValueError if its secret is taken."""
        if key.secret in self.keys:
            raise ValueError("that API key exists already")
        self.keys[key.secret] = key

    def catch_up(self) -> None:
        """Let all happen that is due on the clock, in every organization."""
        for organization in tuple(self.organizations.values()):
            organization.catch_up()

    def reset(self) -> None:
        """Forget calls, plans, charges, used quota, faults and requests; keep organizations and keys."""
        for organization in tuple(self.organizations.values()):
            organization.clear()
        self.faults.clear()
        self.recorder.clear()
