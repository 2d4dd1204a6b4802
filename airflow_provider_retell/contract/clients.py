"""The hooks that run checks: with several keys, and one that ignores the quota."""

from __future__ import annotations

import dataclasses
from types import TracebackType
from typing import Any

from airflow_provider_retell.api.quota import Rate
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.contract.check import Client
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.retell import RetellHook

WRONG_KEY = "key_of_a_contract_check_that_does_not_exist"

_UNLIMITED = Rate(100_000, 1)


class Clients:
    """Hooks for one account, opened as they are needed.

    :param settings: the settings of the connection.
    :param restricted_key: an API key with few permissions, or None.
    """

    def __init__(self, settings: Settings, restricted_key: str | None = None) -> None:
        self._settings = settings
        self._keys = {"wrong key": WRONG_KEY, "no key": "", "restricted key": restricted_key or WRONG_KEY}
        self._hooks: dict[Client, RetellHook] = {}

    def run(self, client: Client, flow: Any) -> Any:
        """Run *flow* with the hook for *client* and return its result."""
        hook = self._hooks.get(client)
        if hook is None:
            hook = self._hooks[client] = self._open(client)
        return hook.run(flow)

    def _open(self, client: Client) -> RetellHook:
        hasty = client == "hasty"
        hook = RetellHook("contract", retry=RetryLimits(attempts=1) if hasty else RetryLimits(attempts=4))
        key = self._keys.get(client, self._settings.api_key)
        hook.settings = dataclasses.replace(self._settings, api_key=key)
        if hasty:
            hook.settings = dataclasses.replace(hook.settings, quota=_UNLIMITED, list_quota=_UNLIMITED)
        return hook

    def __enter__(self) -> Clients:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks.values():
            hook.close()
