"""Conditions that tasks wait for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.request import Flow


@dataclass(frozen=True)
class Poll:
    """The result of one poll.

    :ivar done: True if the condition holds.
    :ivar state: the current state in a few words, for logs and messages.
    :ivar result: ids, states and counts, for XCom and trigger events.
    :ivar hint: advice for a state that does not change, or an empty text.
    """

    done: bool
    state: str
    result: dict[str, Any] = field(default_factory=dict)
    hint: str = ""


class Condition(ABC):
    """Base class of the conditions that sensors, triggers and waiting operators poll.

    ``str(condition)`` completes the phrase "waiting for ...".
    """

    @abstractmethod
    def poll(self) -> Flow[Poll]:
        """Read the state from Retell once."""
