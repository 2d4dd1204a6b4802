"""The options for calls: the duration of each step, and points that Retell does not document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airflow_provider_retell.emulator.calls.vocabulary import CALL_STATUSES, TERMINAL_STATUSES
from airflow_provider_retell.emulator.record_options import RecordOptions
from airflow_provider_retell.emulator.undocumented import undocumented

if TYPE_CHECKING:
    from collections.abc import Collection

METADATA_MAX_BYTES = 50_000
"""Our reading of Retell's "max 50 kB": 50,000 bytes of compact JSON in UTF-8."""


@dataclass(frozen=True)
class Lifecycle:
    """The duration of each step of a call, in seconds on the emulator's clock.

    :param answer: from the placing of a call until it is answered or fails to connect.
    :param talk: from the answer until the end.
    :param analyze: from the end until ``call_analysis`` appears.
    :param transfer: from the end of a call with the reason ``call_transfer`` until ``transfer_end_timestamp`` appears.
    """

    answer: float = 2.0
    talk: float = 30.0
    analyze: float = 10.0
    transfer: float = 60.0

    def __post_init__(self) -> None:
        if min(self.answer, self.talk, self.analyze, self.transfer) < 0:
            raise ValueError("answer, talk, analyze and transfer must be 0 or more seconds")


@dataclass(kw_only=True, eq=False)
class CallOptions(RecordOptions):
    """How calls behave where Retell's documentation is silent. The defaults are our guesses."""

    metadata_max_bytes: int = undocumented(METADATA_MAX_BYTES, 51_200)
    """The limit of metadata in bytes of compact JSON. Retell documents "50 kB"."""

    ignores_unknown_fields: bool = undocumented(False, True)
    """True to ignore top-level fields of a request body that the endpoint does not have, instead of rejecting the
    request."""

    echo_custom_attributes: bool = undocumented(False, True)
    """True to show ``custom_attributes`` in call objects. Retell's typed responses do not declare the field."""

    shows_tool_calls: bool = undocumented(False, True)
    """True to show ``tool_calls`` in call objects. The field was observed, but Retell's typed responses do not
    declare it."""

    ended_statuses: Collection[str] = undocumented(
        TERMINAL_STATUSES, (*TERMINAL_STATUSES, "registered"), ("ended", "error"), ("ended", "not_connected")
    )
    """The statuses in which update-call accepts a call. Retell documents "ended", without a list."""

    not_ended_status: int = undocumented(400, 422)
    """The status code of update-call for a call that has not ended. Retell documents 400 and 422, but not
    which of them it is."""

    storage_conflict_status: int = undocumented(400, 422)
    """The status code for a ``data_storage_setting`` that would become less strict."""

    not_live_status: int = undocumented(404, 422)
    """The status code of update-live-call for a call that is not live. Retell documents 400, 404 and 422."""

    stop_ended_status: int = undocumented(400, 422)
    """The status code of stop-call for a call that has ended."""

    delete_live_status: int = undocumented(204, 400, 422)
    """The status code of delete-call for a call that has not ended: 204 to delete it. Retell documents 400 and 422,
    and not for which cause."""

    list_lag: float = undocumented(0.0, 60.0)
    """Seconds for which list-calls shows a call as it was before its last update."""

    lists_registered: bool = undocumented(True, False)
    """False to leave calls out of list-calls as long as they are registered."""

    lists_links: Literal["all", "others", "none"] = undocumented("all", "others", "none")
    """The links to recordings and logs that list-calls shows: ``all``, the ``others`` without ``recording_url``, or
    ``none``. Retell's pages contradict each other about ``recording_url``."""

    links_expire: bool = undocumented(False, True)
    """True to sign all links to recordings and logs, so that they expire after a day. Retell documents it for agents
    with ``opt_in_signed_url`` only."""

    serves_ranges: bool = undocumented(True, False)
    """False to send a whole recording or log to a request for a part of it."""

    shows_transfer_end: bool = undocumented(True, False)
    """False to give no call a ``transfer_end_timestamp``. Retell does not document for which kinds of transfers the
    field appears."""

    unconnected_calls_start: bool = undocumented(False, True)
    """True to give calls that never connected a ``start_timestamp``. Retell documents that it is absent until the
    call starts."""

    rerun_status: int = undocumented(201, 200)
    """The success status of rerun-call-analysis."""

    rerun_seconds: float = undocumented(0.0, 60.0)
    """Seconds after which a repeated analysis is complete. With 0 the response contains it."""

    honors_idempotency_key: bool = undocumented(True, False)
    """False to place another call for a request with an ``idempotency_key`` that was used before."""

    idempotency_key_pattern: str | None = undocumented(None, "[A-Za-z0-9_-]{5,255}")
    """The regular expression that an ``idempotency_key`` must match; None to allow any text."""

    def __post_init__(self) -> None:
        unknown = set(self.ended_statuses) - set(CALL_STATUSES)
        if unknown:
            raise ValueError(
                f"ended_statuses must be among {', '.join(CALL_STATUSES)}, not {', '.join(sorted(unknown))}"
            )
