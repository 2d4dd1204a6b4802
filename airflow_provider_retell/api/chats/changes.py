"""The change that an update makes to a chat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from airflow_provider_retell.api.body import Body
from airflow_provider_retell.api.chats.bodies import UpdateChat
from airflow_provider_retell.api.chats.models import Chat
from airflow_provider_retell.api.encode import JsonValue
from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.records.models import RecordSummary
from airflow_provider_retell.api.request import UNSET, Unset


@dataclass(frozen=True)
class ChatChange(Change):
    """The fields to change on a chat. Retell documents no status in which it refuses to update a chat.

    :ivar override_dynamic_variables: texts by name; None removes all overrides. Responses do not show them.
    """

    kind: ClassVar[str] = "chat"
    path: ClassVar[str] = "/update-chat/"
    body: ClassVar[type[Body]] = UpdateChat
    record: ClassVar[type[RecordSummary]] = Chat
    shows_attributes: ClassVar[bool] = True
    needs_end: ClassVar[bool] = False

    override_dynamic_variables: dict[str, JsonValue] | Unset | None = field(default=UNSET, repr=False)

    def values(self) -> dict[str, Any]:
        """Return the fields to send."""
        values = super().values()
        if not isinstance(self.override_dynamic_variables, Unset):
            values["override_dynamic_variables"] = self.override_dynamic_variables
        return values

    def hidden_names(self) -> tuple[str, ...]:
        """Return the names of the fields to send that no response shows."""
        variables = self.override_dynamic_variables
        if isinstance(variables, Unset):
            return ()
        if variables is None:
            return ("override_dynamic_variables",)
        return tuple(f"override_dynamic_variables.{name}" for name in variables)
