"""The life cycle of calls: registered, ongoing, ended, analyzed, each at its time on the emulator's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls import samples
from airflow_provider_retell.emulator.calls.vocabulary import LIVE_STATUSES, Call, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_retell.emulator.calls.options import CallOptions
    from airflow_provider_retell.emulator.calls.store import CallStore
    from airflow_provider_retell.emulator.timeline import Timeline


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


class Progress:
    """Moves the calls of one organization through their life cycle.

    :param store: the calls.
    :param timeline: the schedule of the organization.
    :param options: the options for calls.
    :param lifecycle: the duration of each step.
    :param outcomes: the disconnection reason by the number called. Default: ``user_hangup``.
    :param custom_analysis: the ``custom_analysis_data`` by the number called.
    :ivar on_end: functions to call with the time when a call has ended.
    :ivar on_event: functions to call with the name of a webhook event and its call.
    """

    def __init__(
        self,
        store: CallStore,
        timeline: Timeline,
        options: CallOptions,
        *,
        lifecycle: Lifecycle,
        outcomes: Mapping[str, str],
        custom_analysis: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._options = options
        self._lifecycle = lifecycle
        self._outcomes = outcomes
        self._custom_analysis = custom_analysis
        self.on_end: list[Callable[[float], None]] = []
        self.on_event: list[Callable[[str, Call], None]] = []

    def schedule(self, call: Call, now: float) -> None:
        """Schedule the next step of *call*.

        :param now: the time from which the step counts, in epoch seconds.
        """
        status = call["call_status"]
        if status == "registered":
            self._timeline.at(now + self._lifecycle.answer, lambda when: self._answer(call, when))
        elif status == "ongoing":
            started = call.get("start_timestamp", now * 1000) / 1000
            self._timeline.at(
                max(now, started + self._lifecycle.talk), lambda when: self._hang_up(call, when)
            )
        elif "call_analysis" not in call:
            self._timeline.at(now + self._lifecycle.analyze, lambda _: self._analyze(call))

    def end(self, call: Call, when: float, reason: str) -> None:
        """End a live call and schedule its analysis.

        :param when: the time of the end, in epoch seconds.
        :param reason: its ``disconnection_reason``.
        """
        samples.finish(call, round(when * 1000), reason)
        self._store.changed(call)
        self._emit("call_ended", call)
        self.schedule(call, when)
        if reason == "call_transfer":
            self._timeline.at(when + self._lifecycle.transfer, lambda at: self._end_transfer(call, at))
        for action in self.on_end:
            action(when)

    def analysis(self, call: Call, run: int = 1) -> dict[str, Any]:
        """Return the analysis of a call that is over.

        :param run: the number of the analysis.
        """
        analysis = samples.analysis(call, run)
        custom = self._custom_analysis.get(call.get("to_number", ""))
        if custom is not None and analysis["custom_analysis_data"]:
            analysis["custom_analysis_data"] = dict(custom)
        return analysis

    def _is_in(self, call: Call, status: str) -> bool:
        # The call may have been stopped, deleted or edited since this step was scheduled.
        return self._store.calls.get(call["call_id"]) is call and call["call_status"] == status

    def _reason(self, call: Call) -> str:
        return self._outcomes.get(call.get("to_number", ""), "user_hangup")

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
        self._emit("call_started", call)
        self._timeline.at(when + self._lifecycle.talk, lambda at: self._hang_up(call, at))

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
            self._emit("call_analyzed", call)

    def _emit(self, event: str, call: Call) -> None:
        for action in self.on_event:
            action(event, call)
