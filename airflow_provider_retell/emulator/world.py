"""All that an emulator knows: its organisations, their keys, the faults and the recorded requests."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from airflow_provider_retell.emulator.faults import Faults
from airflow_provider_retell.emulator.organisation import ApiKey, Organisation
from airflow_provider_retell.emulator.recorder import Recorder
from airflow_provider_retell.emulator.routes import ROUTE_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.quota import Limit

DEFAULT_ORGANISATION = "default"


class World:
    """The state behind the server, without any socket."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.organisations: dict[str, Organisation] = {}
        self.keys: dict[str, ApiKey] = {}
        self.faults = Faults(ROUTE_NAMES)
        self.recorder = Recorder(options.record_requests)
        options.clock.on_advance(self.catch_up)
        self.add_organisation(
            DEFAULT_ORGANISATION,
            api_key=options.api_key,
            custom_attributes=options.custom_attributes,
            quotas=options.quotas,
            concurrency=options.concurrency,
        )

    @property
    def default(self) -> Organisation:
        """The organisation that is there from the start."""
        return self.organisations[DEFAULT_ORGANISATION]

    def add_organisation(
        self,
        name: str,
        *,
        api_key: str | None,
        custom_attributes: Collection[str],
        quotas: Mapping[str, Limit | None] | None,
        concurrency: int,
    ) -> Organisation:
        """Add an organisation and its full-access key (a random one unless given)."""
        if name in self.organisations:
            raise ValueError(f"there is an organisation {name!r} already")
        if concurrency < 0:
            raise ValueError("concurrency must be 0 or more")
        secret = api_key or f"key_{secrets.token_hex(14)}"
        organisation = Organisation(
            name,
            self.options,
            api_key=secret,
            routes=ROUTE_NAMES,
            custom_attributes=custom_attributes,
            quotas=quotas,
            concurrency=concurrency,
        )
        self.add_key(ApiKey(secret, organisation))
        self.organisations[name] = organisation
        return organisation

    def add_key(self, key: ApiKey) -> None:
        """Add a key; ValueError if its secret is taken."""
        if key.secret in self.keys:
            raise ValueError("that API key exists already")
        self.keys[key.secret] = key

    def catch_up(self) -> None:
        """Let all happen that is due on the clock, in every organisation."""
        for organisation in tuple(self.organisations.values()):
            organisation.catch_up()

    def reset(self) -> None:
        """Forget calls, plans, charges, used quota, faults and requests; keep organisations and keys."""
        for organisation in tuple(self.organisations.values()):
            organisation.clear()
        self.faults.clear()
        self.recorder.clear()
