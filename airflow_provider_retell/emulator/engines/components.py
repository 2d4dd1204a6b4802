"""The conversation flow components that several flows of one organization share. The API cannot change them here."""

from __future__ import annotations

from typing import Any

from airflow_provider_retell.emulator.backend import Backend
from airflow_provider_retell.emulator.engines.samples import new_id


class ComponentBackend(Backend["dict[str, Any]"]):
    """The shared components."""

    noun, table = "component", "conversation-flow-component"

    def add(self, **fields: Any) -> dict[str, Any]:
        """Add a component and return it."""
        component = {
            "conversation_flow_component_id": new_id("conversation_flow_component"),
            "name": "Book",
            "nodes": [],
            "linked_conversation_flow_ids": [],
            "user_modified_timestamp": self.options.clock.now_ms(),
            **fields,
        }
        self.objects[component["conversation_flow_component_id"]] = component
        return component

    def edit(self, object_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of a component and return it."""
        component = self.existing(object_id)
        component.update(fields)
        return component
