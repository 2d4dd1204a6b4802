"""The chats of one organization: adding, editing and finding them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend, assign
from airflow_provider_retell.emulator.chats import samples
from airflow_provider_retell.emulator.chats.vocabulary import UNDECLARED, Chat
from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.timeline import Timeline

_HOUR_MS = 3_600_000


class ChatBackend(Backend["Chat"]):
    """The chats of one organization.

    :param timeline: the schedule of the organization.
    :param on_event: called with the name of a webhook event and the chat, as the API shows it.
    :ivar reruns: the number of analyses that were charged again.
    """

    noun = "chat"

    def __init__(
        self, options: Options, timeline: Timeline, *, on_event: Callable[[str, Chat], None]
    ) -> None:
        super().__init__(options)
        self._on_event = on_event
        self.reruns = 0
        self._runs: dict[str, int] = {}
        self._timeline = timeline
        self._added = 0

    def visible(self, chat: Chat) -> Chat:
        """Return *chat* as the API shows it."""
        return {name: value for name, value in chat.items() if name not in UNDECLARED}

    def missing(self, object_id: str) -> ApiError:
        """Return the error that Retell sends for an unknown id."""
        status = self.options.chats.unknown_id_status
        return ApiError(status, f"Asset not found: no chat {object_id} under this API key")

    def add(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Chat:
        """Add a chat and return it; see ``Organization.add_chat``."""
        clock = self.options.clock
        with clock.lock:
            # One millisecond apart, so that list-chats returns the chats in the order of adding.
            start = clock.now_ms() + self._added
            if fields.get("chat_status") != "ongoing":
                start -= _HOUR_MS
            chat = samples.build(fields, start_ms=start, minimal=minimal)
            if chat["chat_id"] in self.objects:
                raise ValueError(f"chat {chat['chat_id']!r} exists already")
            self.objects[chat["chat_id"]] = chat
            self._added += 1
            if progress and chat["chat_status"] == "ongoing":
                self._emit("chat_started", chat)
                self._timeline.at(
                    clock.now() + self.options.lifecycle.talk, lambda when: self._end_if_ongoing(chat, when)
                )
            return chat

    def edit(self, object_id: str, **fields: Any) -> Chat:
        """Change fields of a chat and return it; see ``Organization.edit_chat``."""
        chat = self.existing(object_id)
        if fields.get("chat_id", object_id) != object_id:
            raise ValueError("chat_id must not change: add a new chat instead")
        samples.check_vocabulary({**chat, **fields})
        assign(chat, fields)
        return chat

    def end(self, chat: Chat, when: float) -> None:
        """End an ongoing chat, and schedule its analysis.

        :param when: the time of the end, in epoch seconds.
        """
        samples.finish(chat, round(when * 1000))
        self._emit("chat_ended", chat)
        self._timeline.at(when + self.options.lifecycle.analyze, lambda _: self._analyze(chat))

    def _end_if_ongoing(self, chat: Chat, when: float) -> None:
        if self.objects.get(chat["chat_id"]) is chat and chat["chat_status"] == "ongoing":
            self.end(chat, when)

    def _analyze(self, chat: Chat) -> None:
        if self.objects.get(chat["chat_id"]) is chat and "chat_analysis" not in chat:
            chat["chat_analysis"] = samples.analysis(chat)
            self._emit("chat_analyzed", chat)

    def _emit(self, event: str, chat: Chat) -> None:
        self._on_event(event, self.visible(chat))

    def rerun(self, chat: Chat) -> None:
        """Analyze a chat again, and charge for it."""
        chat_id = chat["chat_id"]
        self.reruns += 1
        self._runs[chat_id] = runs = self._runs.get(chat_id, 1) + 1

        def finish(_when: float) -> None:
            chat["chat_analysis"] = samples.analysis(chat, runs)

        if self.options.rerun_seconds:
            self._timeline.at(self.options.clock.now() + self.options.rerun_seconds, finish)
        else:
            finish(0)

    def clear(self) -> None:
        """Remove all chats and charges."""
        super().clear()
        self._runs.clear()
        self.reruns = 0
