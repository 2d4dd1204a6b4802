"""How calls progress: registered, ongoing, ended, analyzed, each step at its time on the emulator's clock."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_retell.emulator import samples
from airflow_provider_retell.emulator.vocabulary import (
    DISCONNECTION_REASONS,
    LIVE_STATUSES,
    Call,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_retell.emulator.store import CallStore


@dataclass(frozen=True)
class Lifecycle:
    """How long the steps of a call take, in seconds on the emulator's clock.

    ``answer``: from placing the call until it is answered, or until dialling gives up (default 2).
    ``talk``: from the answer until the call ends (default 30).
    ``analyze``: from the end until ``call_analysis`` appears (default 10).
    """

    answer: float = 2.0
    talk: float = 30.0
    analyze: float = 10.0

    def __post_init__(self) -> None:
        if min(self.answer, self.talk, self.analyze) < 0:
            raise ValueError("the delays of a Lifecycle must be 0 or more seconds")


def check_outcomes(outcomes: Mapping[str, str]) -> None:
    """ValueError unless every outcome is a disconnection reason that Retell documents."""
    for number, reason in outcomes.items():
        if reason not in DISCONNECTION_REASONS:
            raise ValueError(
                f"outcome of {number}: {reason!r} is no disconnection_reason that Retell documents"
            )


class Timeline:
    """What is still going to happen, in order of time."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._sequence = itertools.count()

    def at(self, when: float, action: Callable[[float], None]) -> None:
        """Let ``action(when)`` happen when the clock reaches ``when`` (epoch seconds)."""
        heapq.heappush(self._events, (when, next(self._sequence), action))

    def catch_up(self, now: Callable[[], float]) -> None:
        """Let all happen that is due.

        Each action is told its own time, so results do not depend on who asks when.
        """
        if not self._events:
            return
        # To the millisecond, the unit of all timestamps: sums of fractions must not miss a step by a hair.
        until = now() + 0.0005
        while self._events and self._events[0][0] <= until:
            when, _, action = heapq.heappop(self._events)
            action(when)

    def clear(self) -> None:
        """Forget all that was to happen."""
        self._events.clear()


class Progress:
    """Moves the calls of one organization along its timeline."""

    def __init__(
        self, store: CallStore, timeline: Timeline, lifecycle: Lifecycle, outcomes: Mapping[str, str]
    ) -> None:
        check_outcomes(outcomes)
        self._store = store
        self._timeline = timeline
        self._lifecycle = lifecycle
        self._outcomes = outcomes
        self.on_end: list[Callable[[float], None]] = []

    def follow(self, call: Call, now: float) -> None:
        """Let ``call`` go on from the state it is in."""
        status = call["call_status"]
        if status == "registered":
            self._timeline.at(now + self._lifecycle.answer, lambda when: self._answer(call, when))
        elif status == "ongoing":
            started = call.get("start_timestamp", now * 1000) / 1000
            self._timeline.at(
                max(now, started + self._lifecycle.talk), lambda when: self._hang_up(call, when)
            )
        elif "call_analysis" not in call:
            self._timeline.at(now + self._lifecycle.analyze, lambda when: self._analyze(call))

    def end(self, call: Call, when: float, reason: str) -> None:
        """Let a live call end at ``when`` for ``reason``; its analysis follows."""
        samples.finish(call, round(when * 1000), reason)
        self._store.changed(call)
        self.follow(call, when)
        for action in self.on_end:
            action(when)

    def _is_in(self, call: Call, status: str) -> bool:
        # The call may have been stopped, deleted or changed by hand since this step was planned.
        return self._store.calls.get(call["call_id"]) is call and call["call_status"] == status

    def _reason(self, call: Call) -> str:
        return self._outcomes.get(call.get("to_number", ""), "user_hangup")

    def _answer(self, call: Call, when: float) -> None:
        if not self._is_in(call, "registered"):
            return
        if status_of(self._reason(call)) == "not_connected":
            self.end(call, when, self._reason(call))
            return
        call["call_status"] = "ongoing"
        call["start_timestamp"] = round(when * 1000)
        self._store.changed(call)
        self._timeline.at(when + self._lifecycle.talk, lambda at: self._hang_up(call, at))

    def _hang_up(self, call: Call, when: float) -> None:
        if self._is_in(call, "ongoing"):
            self.end(call, when, self._reason(call))

    def _analyze(self, call: Call) -> None:
        if self._store.calls.get(call["call_id"]) is call and call["call_status"] not in LIVE_STATUSES:
            call.setdefault("call_analysis", samples.analysis(call))
