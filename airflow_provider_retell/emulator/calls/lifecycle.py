"""The life cycle of calls: registered, ongoing, ended, analyzed, each at its time on the emulator's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls import samples
from airflow_provider_retell.emulator.calls.vocabulary import LIVE_STATUSES, Call, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_retell.emulator.calls.store import CallStore
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.timeline import Timeline


class Progress:
    """Moves the calls of one organization through their life cycle.

    :param store: the calls.
    :param timeline: the schedule of the organization.
    :param options: the options of the emulator.
    :param on_event: called with the name of a webhook event and its call.
    :param on_end: called with the time when a call has ended.
    """

    def __init__(
        self,
        store: CallStore,
        timeline: Timeline,
        options: Options,
        *,
        on_event: Callable[[str, Call], None],
        on_end: Callable[[float], None],
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._options = options
        self._on_event = on_event
        self._on_end = on_end

    def schedule(self, call: Call, now: float) -> None:
        """Schedule the next step of *call*.

        :param now: the time from which the step counts, in epoch seconds.
        """
        status = call["call_status"]
        if status == "registered":
            self._timeline.at(now + self._options.lifecycle.answer, lambda when: self._answer(call, when))
        elif status == "ongoing":
            started = call.get("start_timestamp", now * 1000) / 1000
            self._timeline.at(
                max(now, started + self._options.lifecycle.talk), lambda when: self._hang_up(call, when)
            )
        elif "call_analysis" not in call:
            self._timeline.at(now + self._options.lifecycle.analyze, lambda _: self._analyze(call))

    def end(self, call: Call, when: float, reason: str) -> None:
        """End a live call and schedule its analysis.

        :param when: the time of the end, in epoch seconds.
        :param reason: its ``disconnection_reason``.
        """
        samples.finish(call, round(when * 1000), reason)
        self._store.changed(call)
        self._on_event("call_ended", call)
        self.schedule(call, when)
        if reason == "call_transfer":
            self._timeline.at(
                when + self._options.lifecycle.transfer, lambda at: self._end_transfer(call, at)
            )
        self._on_end(when)

    def analysis(self, call: Call, run: int = 1) -> dict[str, Any]:
        """Return the analysis of a call that is over.

        :param run: the number of the analysis.
        """
        analysis = samples.analysis(call, run)
        custom = self._options.custom_analysis.get(call.get("to_number", ""))
        if custom is not None and analysis["custom_analysis_data"]:
            analysis["custom_analysis_data"] = dict(custom)
        return analysis

    def _is_in(self, call: Call, status: str) -> bool:
        # The call may have been stopped, deleted or edited since this step was scheduled.
        return self._store.calls.get(call["call_id"]) is call and call["call_status"] == status

    def _reason(self, call: Call) -> str:
        return self._options.outcomes.get(call.get("to_number", ""), "user_hangup")

    def _answer(self, call: Call, when: float) -> None:
        if not self._is_in(call, "registered"):
            return
        if status_of(self._reason(call)) == "not_connected":
            if self._options.unconnected_calls_start:
                call["start_timestamp"] = round(when * 1000)
            self.end(call, when, self._reason(call))
            return
        call["call_status"] = "ongoing"
        call["start_timestamp"] = round(when * 1000)
        self._store.changed(call)
        self._on_event("call_started", call)
        self._timeline.at(when + self._options.lifecycle.talk, lambda at: self._hang_up(call, at))

    def _hang_up(self, call: Call, when: float) -> None:
        if self._is_in(call, "ongoing"):
            self.end(call, when, self._reason(call))

    def _end_transfer(self, call: Call, when: float) -> None:
        if self._store.calls.get(call["call_id"]) is call:
            call.setdefault("transfer_end_timestamp", round(when * 1000))

    def _analyze(self, call: Call) -> None:
        if self._store.calls.get(call["call_id"]) is not call or call["call_status"] in LIVE_STATUSES:
            return
        if "call_analysis" not in call:
            call["call_analysis"] = self.analysis(call)
            self._on_event("call_analyzed", call)
