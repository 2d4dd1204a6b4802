"""One Retell organization (workspace): its calls, keys' rights, budgets and charges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator import samples
from airflow_provider_retell.emulator.batch import Batch, Batches
from airflow_provider_retell.emulator.errors import ApiError
from airflow_provider_retell.emulator.lifecycle import Progress, Timeline
from airflow_provider_retell.emulator.quota import Limit, QuotaBook
from airflow_provider_retell.emulator.store import CallStore
from airflow_provider_retell.emulator.vocabulary import UNDECLARED, Call

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_provider_retell.emulator.options import Options

PERMISSION_LEVELS: Mapping[str, tuple[str, ...]] = {
    "agent": ("none", "read", "edit"),
    "testing": ("none", "read", "edit"),
    "history": ("none", "read", "edit"),
    "phone": ("none", "read", "edit"),
    "export": ("none", "edit"),
    "call": ("none", "edit"),
}
"""The groups of a restricted key and their levels, as documented; a group not named is at "none"."""


@dataclass(frozen=True)
class ApiKey:
    """An API key of an organization.

    ``permissions``: what it may do, None for all. ``api_key_info``: whether it may ask for its organization.
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
        """Whether the key has at least ``level`` in ``group``."""
        if self.permissions is None:
            return True
        levels = PERMISSION_LEVELS[group]
        return levels.index(self.permissions.get(group, "none")) >= levels.index(level)


class Organization:
    """An organization of the emulator.

    Made by ``Emulator.add_organization``; the emulator has one from the start.

    ``calls``: call_id -> call, live. ``placed``: the calls that create-phone-call and batches really
    placed, oldest first. ``reruns``: how many analyses were charged again. ``custom_attributes``: the ids
    defined, a set to change at will. ``concurrency``: its limit of live calls. ``do_not_call``: a set of
    numbers.
    """

    def __init__(
        self,
        name: str,
        options: Options,
        *,
        api_key: str,
        routes: frozenset[str],
        custom_attributes: Collection[str] = (),
        quotas: Mapping[str, Limit | None] | None,
        concurrency: int,
    ) -> None:
        self.name = name
        self.api_key = api_key
        self.org_id = f"org_{name}"
        self.options = options
        self.custom_attributes = set(custom_attributes)
        self.quotas = QuotaBook(quotas, routes=routes)
        self.concurrency = concurrency
        self.do_not_call = set(options.do_not_call)
        self.placed: list[Call] = []
        self.reruns = 0
        self.analysis_runs: dict[str, int] = {}
        self.idempotency: dict[str, tuple[float, str]] = {}
        self.agent_variables: dict[str, dict[str, str]] = {}
        self.store = CallStore()
        self.timeline = Timeline()
        self.progress = Progress(self.store, self.timeline, options.lifecycle, options.outcomes)
        self.batches = Batches(self)
        self._added = 0

    @property
    def calls(self) -> dict[str, Call]:
        """The calls by id, up to date with the clock."""
        self.catch_up()
        return self.store.calls

    @property
    def hidden_fields(self) -> tuple[str, ...]:
        """The fields that call objects do not show."""
        return UNDECLARED[1:] if self.options.echo_custom_attributes else UNDECLARED

    def catch_up(self) -> None:
        """Let all happen that is due on the clock."""
        with self.options.clock.lock:
            self.timeline.catch_up(self.options.clock.now)
            if self.batches.waiting:
                self.batches.dispatch(self.options.clock.now())
                self.timeline.catch_up(self.options.clock.now)

    def add_call(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Call:
        """Add a call and return it (the live dictionary).

        All that ``fields`` leave open is filled as in a real call of that type and status: by default a
        phone call that has ended and is analyzed. A field given as None is left out. ``progress``: a call
        that is registered, ongoing or not analyzed yet goes on by the lifecycle. ``minimal``: without
        transcripts, recordings, costs, latencies and analysis, for tests with very many calls.

        Raises ValueError for a call id that exists, or a call type or status that Retell does not know.
        """
        with self.options.clock.lock:
            # Apart by a millisecond, so that the order of list-calls is the order of adding.
            start = self.options.clock.now_ms() + self._added
            if fields.get("call_status") != "ongoing":
                start -= 3_600_000
            call = samples.build(fields, default_start_ms=start, minimal=minimal)
            self.store.add(call)
            self._added += 1
            if progress:
                self.progress.follow(call, self.options.clock.now())
            return call

    def add_calls(self, call_ids: Iterable[str], *, minimal: bool = True, **fields: Any) -> None:
        """Add a call for each id, all with the same ``fields``; minimal ones unless asked otherwise."""
        for call_id in call_ids:
            copies: dict[str, Any] = {
                name: dict(value) if isinstance(value, dict) else value for name, value in fields.items()
            }
            self.add_call(**{**copies, "call_id": call_id, "minimal": minimal})

    def call(self, call_id: str) -> Call:
        """Return the call with that id, or raise the 422 that Retell answers for an unknown one."""
        try:
            return self.store.calls[call_id]
        except KeyError:
            raise ApiError(422, f"Asset not found: no call {call_id} under this API key") from None

    def add_batch(self, batch: Batch) -> None:
        """Let a batch start at its time."""
        self.timeline.at(batch.trigger, lambda when: self.batches.start(batch, when))

    def clear(self) -> None:
        """Forget calls, plans, charges and used quota; keep keys, attributes and limits."""
        with self.options.clock.lock:
            self.store.clear()
            self.timeline.clear()
            self.batches.clear()
            self.quotas.clear()
            self.placed.clear()
            self.idempotency.clear()
            self.agent_variables.clear()
            self.analysis_runs.clear()
            self.reruns = 0
