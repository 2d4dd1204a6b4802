"""The calls of one organization: adding, placing, editing and finding them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend, assign
from airflow_provider_retell.emulator.calls import samples
from airflow_provider_retell.emulator.calls.batches import Batches
from airflow_provider_retell.emulator.calls.lifecycle import Progress
from airflow_provider_retell.emulator.calls.store import CallStore
from airflow_provider_retell.emulator.calls.vocabulary import LINKS, TRANSCRIPTS, UNDECLARED, Call
from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from airflow_provider_retell.emulator.calls.speakers import Speakers
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.recordings.links import Links
    from airflow_provider_retell.emulator.timeline import Timeline

_HOUR_MS = 3_600_000


class CallBackend(Backend["Call"]):
    """The calls of one organization.

    :param timeline: the schedule of the organization.
    :param concurrency: returns the organization's limit of live calls.
    :param on_event: called with the name of a webhook event and the call, as the API shows it.
    :param links: the links to the files of calls.
    :param speakers: the agents that speak in placed calls.
    :ivar placed: the calls that the endpoints placed, oldest first.
    :ivar reruns: the number of analyses that were charged again.
    :ivar analysis_runs: the number of analyses by call id, if more than one.
    :ivar idempotency: the time and call id of each ``idempotency_key``.
    :ivar agent_variables: the dynamic variables by call id, as they were before the first override.
    """

    noun = "call"

    def __init__(
        self,
        options: Options,
        timeline: Timeline,
        *,
        concurrency: Callable[[], int],
        on_event: Callable[[str, Call], None],
        links: Links,
        speakers: Speakers,
    ) -> None:
        super().__init__(options)
        self.links = links
        self.speakers = speakers
        self.store = CallStore()
        self.objects = self.store.calls
        self.batches = Batches(self.store, timeline, place=self.place, concurrency=concurrency)
        self.progress = Progress(
            self.store,
            timeline,
            options,
            on_event=lambda event, call: on_event(event, self.visible(call)),
            on_end=self.batches.dispatch,
        )
        self.placed: list[Call] = []
        self.reruns = 0
        self.analysis_runs: dict[str, int] = {}
        self.idempotency: dict[str, tuple[float, str]] = {}
        self.agent_variables: dict[str, dict[str, str]] = {}
        self._added = 0
        self._before: dict[str, tuple[float, Call]] = {}

    @property
    def hidden_fields(self) -> tuple[str, ...]:
        """The fields that the API does not show."""
        shown = {
            "custom_attributes": self.options.echo_custom_attributes,
            "tool_calls": self.options.shows_tool_calls,
            "transfer_end_timestamp": self.options.shows_transfer_end,
        }
        return tuple(name for name in (*UNDECLARED, "transfer_end_timestamp") if not shown.get(name))

    @property
    def hidden_in_lists(self) -> tuple[str, ...]:
        """The fields that list-calls does not show."""
        links = {"all": (), "others": ("recording_url",), "none": LINKS}
        return (*self.hidden_fields, *TRANSCRIPTS, *links[self.options.lists_links])

    def visible(self, call: Call) -> Call:
        """Return *call* as the API shows it."""
        return self.without(self.hidden_fields, call)

    def without(self, hidden: Collection[str], call: Call) -> Call:
        """Return *call* without the fields in *hidden*, and with links to its files."""
        shown = dict(call)
        for name in hidden:
            shown.pop(name, None)
        self.links.fill(shown)
        return shown

    def missing(self, object_id: str) -> ApiError:
        """Return the error that Retell sends for an unknown id."""
        status = self.options.unknown_id_status
        return ApiError(status, f"Asset not found: no call {object_id} under this API key")

    def about_to_change(self, call: Call) -> None:
        """Remember *call* as it is, for as long as list-calls does not show the change."""
        if self.options.list_lag:
            self._before[call["call_id"]] = (self.options.clock.now(), copy.deepcopy(call))

    def listed(self) -> Mapping[str, Call]:
        """Return the calls by id, as list-calls shows them."""
        calls: Mapping[str, Call] = self.objects
        if self._before:
            until = self.options.clock.now() - self.options.list_lag
            stale = {key: call for key, (at, call) in self._before.items() if at > until and key in calls}
            calls = {**calls, **stale}
        if not self.options.lists_registered:
            calls = {key: call for key, call in calls.items() if call["call_status"] != "registered"}
        return calls

    def add(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Call:
        """Add a call and return it; see ``Organization.add_call``."""
        clock = self.options.clock
        with clock.lock:
            # One millisecond apart, so that list-calls returns the calls in the order of adding.
            start = clock.now_ms() + self._added
            if fields.get("call_status") != "ongoing":
                start -= _HOUR_MS
            call = samples.build(
                fields,
                default_start_ms=start,
                minimal=minimal,
                unconnected_calls_start=self.options.unconnected_calls_start,
            )
            self.store.add(call)
            self._added += 1
            if progress:
                self.progress.schedule(call, clock.now())
            return call

    def edit(self, object_id: str, *, progress: bool = False, **fields: Any) -> Call:
        """Change fields of a call and return it; see ``Organization.edit_call``."""
        call = self.existing(object_id)
        if fields.get("call_id", object_id) != object_id:
            raise ValueError("call_id must not change: add a new call instead")
        samples.check_vocabulary({**call, **fields})
        live, ended = ("registered", "ongoing"), self.options.ended_statuses
        if call["call_status"] in live and fields.get("call_status") in ended:
            fields = {"end_timestamp": self.options.clock.now_ms(), **fields}
        assign(call, fields)
        self.store.changed(call)
        if progress:
            self.progress.schedule(call, self.options.clock.now())
        return call

    def place(
        self, from_number: str, task: dict[str, Any], when: float, batch_call_id: str | None = None
    ) -> Call:
        """Register a call and schedule its progress.

        :param from_number: the number that calls.
        :param task: the fields of the request that describe the call.
        :param when: the time of registration, in epoch seconds.
        :param batch_call_id: the batch of the call, if it has one.
        """
        call = samples.registered("phone_call", samples.new_call_id())
        call.update(from_number=from_number, to_number=task["to_number"])
        for name in ("metadata", "retell_llm_dynamic_variables", "custom_sip_headers"):
            if name in task:
                call[name] = dict(task[name])
        call.update(self.speakers.fields(from_number, task))
        if batch_call_id is not None:
            call["batch_call_id"] = batch_call_id
        self.store.add(call)
        self.placed.append(call)
        self.progress.schedule(call, when)
        return call

    def catch_up(self, now: Callable[[], float]) -> None:
        """Let waiting batches use the slots that became free without the end of a call."""
        if self.batches.waiting:
            self.batches.dispatch(now())

    def clear(self) -> None:
        """Remove all calls, batches and charges."""
        self.store.clear()
        self.batches.clear()
        self.placed.clear()
        self._before.clear()
        self.idempotency.clear()
        self.agent_variables.clear()
        self.analysis_runs.clear()
        self.reruns = 0
