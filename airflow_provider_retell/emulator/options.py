"""Every choice an emulator can be started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.lifecycle import Lifecycle
from airflow_provider_retell.emulator.quota import DEFAULT_QUOTAS, Limit, ThrottleHeaders
from airflow_provider_retell.emulator.vocabulary import CALL_STATUSES, TERMINAL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(kw_only=True, eq=False)
class Options:
    """The options of :class:`~airflow_provider_retell.emulator.Emulator`.

    Those that decide an answer (semantics, statuses, echoes, headers) may also be assigned while it runs.
    """

    api_key: str = field(default="key_emulator", repr=False)
    """The full-access key of the default organization."""

    host: str = "127.0.0.1"
    """The address to bind."""

    port: int = 0
    """The port to bind; 0 picks a free one, which ``url`` then tells."""

    custom_attributes: Collection[str] = ()
    """Ids of the custom attributes that the default organization defines. Values for others are dropped in
    silence, as documented."""

    quotas: Mapping[str, Limit | None] | None = field(default_factory=lambda: DEFAULT_QUOTAS)
    """``{limiter or route: (count, seconds)}`` over the documented defaults; an entry of None switches that
    limit off, None all. Each organization has its own budget for each route, in real time."""

    throttle_headers: ThrottleHeaders = "retry-after"
    """How a 429 for a used-up quota tells the wait: ``retry-after`` (seconds) or ``http-date`` beside the
    RateLimit headers, ``ratelimit-reset`` for those alone, ``none`` for no header at all. Reports about
    Retell differ."""

    record_requests: bool | int = True
    """Keep every request (True), the newest N (a number), or none (False). Counts are kept in any case."""

    clock: Clock = field(default_factory=Clock)
    """The clock that calls progress on; ``Clock(frozen=True)`` for tests that move it by hand."""

    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    """How long dialling, talking and analyzing take."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    """How calls to a number end: ``{"+14155550123": "dial_no_answer"}``; others end with ``user_hangup``."""

    concurrency: int = 20
    """How many live calls an organization may have."""

    do_not_call: Collection[str] = ()
    """Numbers that create-phone-call refuses when asked to ``honor_internal_dnc``."""

    metadata_semantics: Literal["replace", "merge"] = "replace"
    """Whether update-call replaces the metadata or merges it at the top level. Retell does not say which it
    does."""

    drops_null: bool = False
    """Whether the server drops top-level metadata keys whose value is null. Retell does not say."""

    custom_attributes_semantics: Literal["merge", "replace"] = "merge"
    """Whether update-call merges custom attributes with those the call has, or replaces them. Retell does
    not say."""

    echo_custom_attributes: bool = False
    """Whether call objects show ``custom_attributes``. Retell's typed responses do not declare the field."""

    ended_statuses: Collection[str] = TERMINAL_STATUSES
    """The statuses in which update-call accepts a call. Retell says "ended" and gives no list."""

    not_ended_status: int = 400
    """The code of update-call's refusal of a call that has not ended; Retell documents 400 and 422, not
    which."""

    max_ids_per_filter: int | None = None
    """The most ids that the ``call_id`` filter of list-calls takes before it answers 400; None: no limit,
    since none is documented."""

    def __post_init__(self) -> None:
        """Refuse values that no emulator could follow."""
        for name, value, allowed in (
            ("throttle_headers", self.throttle_headers, get_args(ThrottleHeaders)),
            ("metadata_semantics", self.metadata_semantics, ("replace", "merge")),
            ("custom_attributes_semantics", self.custom_attributes_semantics, ("merge", "replace")),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be between 0 and 65535")
        unknown = set(self.ended_statuses) - set(CALL_STATUSES)
        if unknown:
            raise ValueError(f"ended_statuses: Retell has no call_status {', '.join(sorted(unknown))}")
