"""The options of an emulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.emulator.calls.lifecycle import Lifecycle
from airflow_provider_retell.emulator.calls.vocabulary import (
    CALL_STATUSES,
    DISCONNECTION_REASONS,
    TERMINAL_STATUSES,
)
from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.knowledge_bases.options import KnowledgeBaseOptions
from airflow_provider_retell.emulator.rate_limits import DEFAULT_QUOTAS, Limit, ThrottleHeaders
from airflow_provider_retell.emulator.simulations.simulator import Simulation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(kw_only=True, eq=False)
class Options:
    """The options of :class:`~airflow_provider_retell.emulator.Emulator`.

    The options that shape a response (semantics, statuses, echoes, headers) may also be assigned while the
    emulator runs: ``emulator.options.drops_null = True``.
    """

    api_key: str = field(default="key_emulator", repr=False)
    """The full-access key of the default organization."""

    host: str = "127.0.0.1"
    """The address to bind."""

    port: int = 0
    """The port to bind. 0 binds a free port, which is part of ``Emulator.url``."""

    custom_attributes: Collection[str] = ()
    """The ids of the custom attributes of the default organization. Values for other ids are dropped without
    an error, as documented."""

    quotas: Mapping[str, Limit | None] | None = field(default_factory=lambda: DEFAULT_QUOTAS)
    """Overrides of the documented request quotas: ``{limiter or route: (count, seconds)}``. An entry of None
    removes that limit; None in place of the mapping removes all limits. Each organization has its own budget
    for each route, in real time."""

    throttle_headers: ThrottleHeaders = "retry-after"
    """The headers of a 429 that carry the waiting time, since reports about Retell's differ: ``retry-after``
    (seconds) or ``http-date``, both with the RateLimit headers; ``ratelimit-reset`` for the RateLimit headers
    only; ``none`` for no header."""

    record_requests: bool | int = True
    """True to keep every request, a number to keep the newest, False to keep none. Requests are always
    counted."""

    clock: Clock = field(default_factory=Clock)
    """The clock that calls follow; ``Clock(frozen=True)`` for tests that move it by hand."""

    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    """The durations of dialing, talking and analyzing."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    """The disconnection reason by the number called: ``{"+14155550123": "dial_no_answer"}``. Calls to other
    numbers end with ``user_hangup``."""

    concurrency: int = 20
    """The number of live calls that the default organization may have."""

    do_not_call: Collection[str] = ()
    """Numbers that create-phone-call refuses if the request has ``honor_internal_dnc``."""

    metadata_semantics: Literal["replace", "merge"] = "replace"
    """The effect of update-call on metadata: replace all of it, or merge the top level. Retell does not
    document it."""

    drops_null: bool = False
    """True to drop top-level metadata keys whose value is null. Retell does not document it."""

    custom_attributes_semantics: Literal["merge", "replace"] = "merge"
    """The effect of update-call on custom attributes: merge them with those of the call, or replace all of
    them. Retell does not document it."""

    echo_custom_attributes: bool = False
    """True to show ``custom_attributes`` in call objects. Retell's typed responses do not declare the field."""

    ended_statuses: Collection[str] = TERMINAL_STATUSES
    """The statuses in which update-call accepts a call. Retell documents "ended", without a list."""

    not_ended_status: int = 400
    """The status code of update-call for a call that has not ended. Retell documents 400 and 422, but not
    which of them it is."""

    max_ids_per_filter: int | None = None
    """The number of ids that the ``call_id`` filter of list-calls accepts before it responds with 400. None
    means no limit, since Retell documents none."""

    missing_asset_status: int = 404
    """The status code for an agent, LLM, conversation flow, phone number or test that does not exist: 404, as
    observed, or 422, as documented."""

    tool_defaults: Mapping[str, Any] = field(default_factory=dict)
    """The fields that Retell adds to each tool that an update sets, unless the tool has them. Retell does not
    document whether it adds any."""

    simulation: Simulation = field(default_factory=Simulation)
    """The duration of a test run: in the queue, and until its verdict."""

    test_run_credit: int | None = None
    """The number of test runs that an organization can pay for. Then create-batch-test responds with 402, and
    runs that are under way end with an error. None means no limit."""

    test_case_update_semantics: Literal["merge", "replace"] = "merge"
    """The effect of update-test-case-definition on the dynamic variables and mocks that it leaves out: keep them, or
    remove them. Retell does not document it."""

    batch_test_list_delay: float = 0.0
    """The seconds until list-batch-tests shows a new batch test. Retell does not document whether it does at
    once."""

    test_run_list_delay: float = 0.0
    """The seconds from the end of a batch test until list-test-runs shows the verdicts. Retell does not document
    whether it does at once."""

    knowledge_bases: KnowledgeBaseOptions = field(default_factory=KnowledgeBaseOptions)
    """The behavior of knowledge bases: indexing, failures and limits."""

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("throttle_headers", self.throttle_headers, get_args(ThrottleHeaders)),
            ("metadata_semantics", self.metadata_semantics, ("replace", "merge")),
            ("test_case_update_semantics", self.test_case_update_semantics, ("merge", "replace")),
            ("custom_attributes_semantics", self.custom_attributes_semantics, ("merge", "replace")),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        if self.missing_asset_status not in (404, 422):
            raise ValueError(f"missing_asset_status must be 404 or 422, not {self.missing_asset_status}")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be between 0 and 65535, not {self.port}")
        unknown = set(self.ended_statuses) - set(CALL_STATUSES)
        if unknown:
            raise ValueError(
                f"ended_statuses must be among {', '.join(CALL_STATUSES)}, not {', '.join(sorted(unknown))}"
            )
        for reason in self.outcomes.values():
            if reason not in DISCONNECTION_REASONS:
                raise ValueError(f"outcomes must be values of disconnection_reason, not {reason!r}")
