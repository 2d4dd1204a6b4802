"""An emulated account with everything that the checks of the contract need, and the clients that run them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from retell_sdk_client import SdkClient

from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.contract.clients import Clients
from airflow_provider_retell.contract.resources import CHECKS
from airflow_provider_retell.contract.results import emulator_options
from airflow_provider_retell.contract.runner import Result, run_checks
from airflow_provider_retell.contract.target import Target
from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle, Simulation
from airflow_provider_retell.hooks.connection import Settings
from airflow_provider_retell.hooks.retell import RetellAsyncHook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_retell.contract.check import Check, Client

FLAGS = {flag.option: flag for check in CHECKS for flag in check.flags}
BY_NAME = {check.name: check for check in CHECKS}

RESTRICTED = "key_restricted_0123456789"
NAMED = ("call_ended", "call_not_connected", "call_error", "call_ongoing", "call_registered", "call_strict")

CHATS = ("chat_done", "chat_open")

VALUES: dict[str, tuple[str, ...]] = {
    "--write": ("",),
    "--call-id": NAMED,
    "--chat-id": CHATS,
    "--custom-attribute": ("attr_one", "attr_two"),
    "--restricted-api-key-env": ("RESTRICTED",),
    "--tighten-call-id": ("call_tighten",),
    "--rerun-call-id": ("call_rerun",),
    "--delete-call-id": ("call_delete",),
    "--delete-live-call-id": ("call_live",),
    "--place-call": ("",),
    "--place-batch": ("",),
    "--from-number": ("+14155550100",),
    "--to-number": ("+14155550123",),
    "--use-up-quota": ("",),
    "--create-knowledge-base": ("",),
    "--create-contact": ("",),
    "--custom-field": ("plan", "segment"),
    "--import-contacts": ("",),
    "--draft-agent-id": ("agent_one",),
    "--test-agent-id": ("agent_one",),
    "--run-test": ("",),
}
"""A value for every flag."""

QUOTAS = {"general": (10_000, 10.0), "list": (120, 10.0)}


@contextlib.contextmanager
def account(**options: Any) -> Iterator[Emulator]:
    """Run an emulator with calls and chats of every kind."""
    defaults: dict[str, Any] = {
        "custom_attributes": ("attr_one", "attr_two"),
        "quotas": QUOTAS,
        "lifecycle": Lifecycle(answer=10**7),
        "clock": Clock(),
        "simulation": Simulation(queue=0, talk=0.01),
    }
    with Emulator(**{**defaults, **options}) as emulator:
        emulator.options.knowledge_bases.indexing_seconds = 0.01
        emulator.options.contacts.import_queue_seconds = 0.02
        emulator.options.contacts.import_seconds = 0.06
        fill(emulator)
        yield emulator


def fill(emulator: Emulator, **fields: Any) -> None:
    """Add the calls, the chats and the restricted key; *fields* are fields of each call and chat."""
    fields = {"metadata": {"customer": "C-1001"}, **fields}
    for status in ("ended", "not_connected", "error", "ongoing", "registered"):
        emulator.add_call(call_id=f"call_{status}", call_status=status, **fields)
    emulator.add_call(call_id="call_strict", **{**fields, "data_storage_setting": "everything_except_pii"})
    for purpose in ("tighten", "rerun", "delete"):
        emulator.add_call(call_id=f"call_{purpose}", **fields)
    emulator.add_call(call_id="call_live", call_status="ongoing", **fields)
    ended = emulator.clock.now_ms() - 24 * 3_600_000
    transfer = {"disconnection_reason": "call_transfer", "transfer_end_timestamp": ended + 60_000}
    times = {"start_timestamp": ended - 60_000, "end_timestamp": ended}
    emulator.add_call(call_id="call_transferred", **{**fields, **times, **transfer})
    for chat_id, status in zip(CHATS, ("ended", "ongoing"), strict=True):
        emulator.add_chat(chat_id=chat_id, chat_status=status, **fields)
    emulator.add_chat(chat_id="chat_failed", chat_status="error", **fields)
    emulator.add_key(RESTRICTED, {"history": "read"})
    emulator.options.contacts.tags = {"tag_one": "one", "tag_two": "two"}
    emulator.add_contact("+14155550123", contact_tag_ids=["tag_one", "tag_two"])
    emulator.add_agent(agent_id="agent_chat", channel="chat")
    emulator.add_agent(agent_id="agent_one")
    emulator.add_knowledge_base(knowledge_base_id="knowledge_base_one")
    case = emulator.add_test_case(agent_id="agent_one", test_case_definition_id="test_case_one")
    emulator.add_batch_test(case["response_engine"], ["test_case_one"])
    emulator.clock.advance(100)


def settings(emulator: Emulator) -> Settings:
    return Settings(api_key=emulator.api_key, base_url=emulator.url, timeout=10)


def target(without: tuple[str, ...] = (), **arguments: Any) -> Target:
    """Return a target with all flags except those in *without*."""
    values = {FLAGS[name]: value for name, value in VALUES.items() if name not in without}
    return Target(values, **arguments)


class AsyncClients:
    """The same as :class:`Clients`, with async hooks."""

    def __init__(self, settings: Settings, restricted_key: str) -> None:
        self._blocking = Clients(settings, restricted_key)
        self._loop = asyncio.new_event_loop()
        self._hooks: dict[str, RetellAsyncHook] = {}

    def run(self, client: Client, flow: Any) -> Any:
        return self._loop.run_until_complete(self._run(client, flow))

    async def _run(self, client: Client, flow: Any) -> Any:
        if client not in self._hooks:
            blocking = self._blocking._open(client)

            class Hook(RetellAsyncHook):
                async def _read_settings(self) -> Settings:
                    return blocking.settings

            hook = Hook(retry=RetryLimits(attempts=1 if client == "hasty" else 4))
            self._hooks[client] = await hook.__aenter__()
        return await self._hooks[client].run(flow)

    def __enter__(self) -> AsyncClients:
        return self

    def __exit__(self, *_error: object) -> None:
        for hook in self._hooks.values():
            self._loop.run_until_complete(hook.__aexit__())
        self._loop.close()


CLIENTS: dict[str, Any] = {"blocking": Clients, "async": AsyncClients, "sdk": SdkClient}


def check_account(
    emulator: Emulator,
    *,
    client: str = "blocking",
    only: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    at: Target | None = None,
) -> dict[str, Result]:
    """Run the checks against *emulator* and return the results by name."""
    checks: list[Check] = [BY_NAME[name] for name in only] if only else list(CHECKS)
    account = at or target(without)
    with CLIENTS[client](settings(emulator), RESTRICTED) as clients:
        results = run_checks(checks, account, clients.run)
    assert at is not None or (account.failures, account.changes) == ([], {})
    return {result.check.name: result for result in results}


def named(results: dict[str, Result], verdict: str) -> set[str]:
    """Return the names of the checks with a verdict."""
    return {name for name, result in results.items() if result.finding.verdict == verdict}


def seen(results: dict[str, Result], *names: str) -> str:
    """Return the findings of checks, for the message of an assertion."""
    return "\n".join(f"{name}: {results[name].finding}" for name in names or results)


def found_options(results: dict[str, Result]) -> dict[str, Any]:
    return emulator_options(results.values())


def as_option(value: Any) -> Any:
    """Return the value of an option in the form that a report has it."""
    return sorted(value) if isinstance(value, tuple) else value
