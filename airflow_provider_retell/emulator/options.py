"""The options of an emulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_retell.emulator.calls.options import CallOptions, Lifecycle
from airflow_provider_retell.emulator.calls.vocabulary import DISCONNECTION_REASONS
from airflow_provider_retell.emulator.chats.options import ChatOptions
from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.contacts.options import ContactOptions
from airflow_provider_retell.emulator.knowledge_bases.options import KnowledgeBaseOptions
from airflow_provider_retell.emulator.rate_limits import DEFAULT_QUOTAS, Limit, ThrottleHeaders
from airflow_provider_retell.emulator.simulations.simulator import Simulation
from airflow_provider_retell.emulator.undocumented import check_values, undocumented
from airflow_provider_retell.emulator.webhooks import EVENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(kw_only=True, eq=False)
class Options(CallOptions):
    """The options of :class:`~airflow_provider_retell.emulator.Emulator`.

    The options for points that Retell does not document may also be assigned while the emulator runs:
    ``emulator.options.drops_null = True``.
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
    for each route, in real time plus what ``clock.advance`` adds."""

    throttle_headers: ThrottleHeaders = undocumented(  # noqa: RUF009
        "retry-after", "http-date", "ratelimit-reset", "none"
    )
    """The headers of a 429 that carry the waiting time, since reports about Retell's differ: ``retry-after``
    (seconds) or ``http-date``, both with the RateLimit headers; ``ratelimit-reset`` for the RateLimit headers
    only; ``none`` for no header."""

    restricted_key_status: int = undocumented(403, 401)
    """The status code for a valid key without the permission for the endpoint."""

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

    custom_analysis: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The ``custom_analysis_data`` by the number called, if a person answers:
    ``{"+14155550123": {"approved": True}}``. Calls to other numbers get sample data."""

    concurrency: int = 20
    """The number of live calls that the default organization may have."""

    do_not_call: Collection[str] = ()
    """Numbers that create-phone-call refuses if the request has ``honor_internal_dnc``, as it refuses contacts with
    ``do_not_call``."""

    webhook_url: str | None = None
    """The URL that receives signed webhooks as calls and chats progress. None to send none."""

    webhook_events: Collection[str] = EVENTS
    """The names of the events to send."""

    missing_asset_status: int = undocumented(404, 422)
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

    test_case_update_semantics: Literal["merge", "replace"] = undocumented("merge", "replace")
    """The effect of update-test-case-definition on the dynamic variables and mocks that it leaves out: keep them, or
    remove them. Retell does not document it."""

    batch_test_list_delay: float = undocumented(0.0, 60.0)
    """The seconds until list-batch-tests shows a new batch test. Retell does not document whether it does at
    once."""

    test_run_list_delay: float = undocumented(0.0, 60.0)
    """The seconds from the end of a batch test until list-test-runs shows the verdicts. Retell does not document
    whether it does at once."""

    chats: ChatOptions = field(default_factory=ChatOptions)
    """The behavior of chats. The options of calls that are common to both do not apply to chats."""

    contacts: ContactOptions = field(default_factory=ContactOptions)
    """The behavior of contacts: tags, custom fields and limits."""

    knowledge_bases: KnowledgeBaseOptions = field(default_factory=KnowledgeBaseOptions)
    """The behavior of knowledge bases: indexing, failures and limits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_values(self)
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be between 0 and 65535, not {self.port}")
        for reason in self.outcomes.values():
            if reason not in DISCONNECTION_REASONS:
                raise ValueError(f"outcomes must be values of disconnection_reason, not {reason!r}")
