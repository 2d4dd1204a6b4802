"""The state of an emulator: its organizations, their keys, the faults and the recorded requests."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.faults import Faults
from airflow_provider_retell.emulator.organization.api_keys import ApiKey
from airflow_provider_retell.emulator.organization.organization import Organization
from airflow_provider_retell.emulator.recorder import Recorder
from airflow_provider_retell.emulator.resources import ROUTES
from airflow_provider_retell.emulator.routing import Router
from airflow_provider_retell.emulator.webhooks import Webhooks

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.options import Options

DEFAULT_ORGANIZATION = "default"


class State:
    """Everything behind the server, without sockets."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, ApiKey] = {}
        self.router = Router(ROUTES)
        self.faults = Faults(self.router.names, self.router.id_names)
        self.recorder = Recorder(options.record_requests)
        self.webhooks = Webhooks(options.webhook_url, options.webhook_events)
        options.clock.on_advance(self.catch_up)
        self._url: str | None = None
        self.add_organization(
            DEFAULT_ORGANIZATION,
            api_key=options.api_key,
            custom_attributes=options.custom_attributes,
            quotas=options.quotas,
            concurrency=options.concurrency,
        )

    @property
    def default(self) -> Organization:
        """The organization that exists from the start."""
        return self.organizations[DEFAULT_ORGANIZATION]

    def organization(self, name: str) -> Organization:
        """Return an organization by its name.

        :raises ValueError: if there is no such organization.
        """
        try:
            return self.organizations[name]
        except KeyError:
            known = ", ".join(sorted(self.organizations))
            raise ValueError(f"unknown organization {name!r}; known: {known}") from None

    def add_organization(
        self,
        name: str,
        *,
        api_key: str | None,
        **settings: Any,
    ) -> Organization:
        """Add an organization and its full-access key, which is random if *api_key* is None.

        :param settings: see :class:`Organization`.
        """
        if name in self.organizations:
            raise ValueError(f"organization {name!r} exists already")
        secret = api_key or f"key_{secrets.token_hex(14)}"
        organization = Organization(
            name,
            self.options,
            api_key=secret,
            webhooks=self.webhooks,
            routes=self.router.names,
            **settings,
        )
        self.add_key(ApiKey(secret, organization))
        self.organizations[name] = organization
        organization.call_backend.links.base_url = self._url
        return organization

    def serve_at(self, url: str | None) -> None:
        """Set the URL of the server, which links to files begin with; None if the server does not run."""
        self._url = url
        for organization in tuple(self.organizations.values()):
            organization.call_backend.links.base_url = url

    def add_key(self, key: ApiKey) -> None:
        """Add a key; ValueError if its secret is in use."""
        if key.secret in self.keys:
            raise ValueError("the API key exists already")
        self.keys[key.secret] = key

    def remove_key(self, secret: str) -> None:
        """Remove a key; ValueError if it does not exist."""
        if self.keys.pop(secret, None) is None:
            raise ValueError("there is no such API key")

    def find_key(self, authorization: str | None) -> ApiKey | None:
        """Return the key in an Authorization header, or None if the header has no known key."""
        scheme, _, secret = (authorization or "").partition(" ")
        return self.keys.get(secret.strip()) if scheme.lower() == "bearer" else None

    def catch_up(self) -> None:
        """Run everything that is due on the clock, in every organization."""
        for organization in tuple(self.organizations.values()):
            organization.catch_up()

    def reset(self) -> None:
        """Clear objects, schedules, charges, used quota, faults and requests; keep organizations and keys."""
        for organization in tuple(self.organizations.values()):
            organization.clear()
        self.faults.clear()
        self.webhooks.clear()
        self.recorder.clear()
