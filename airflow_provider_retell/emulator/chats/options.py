"""The options of chats."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_retell.emulator.record_options import RecordOptions
from airflow_provider_retell.emulator.undocumented import check_values, undocumented


@dataclass(kw_only=True, eq=False)
class ChatOptions(RecordOptions):
    """The behavior of chats. All options may be assigned while the emulator runs."""

    updates_ongoing: bool = undocumented(True, False)
    """False to reject updates of ongoing chats with 400. Retell documents no status in which it rejects an update."""

    def __post_init__(self) -> None:
        check_values(self)
