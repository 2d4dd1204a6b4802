"""The conversation flow components that several flows of one organization share. The API cannot change them here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend
from airflow_provider_retell.emulator.engines.samples import new_id
from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.options import Options


class ComponentBackend(Backend):
    """The shared components.

    :ivar components: the components by id.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.components: dict[str, dict[str, Any]] = {}

    def all(self) -> list[dict[str, Any]]:
        """Return all components."""
        return list(self.components.values())

    def add(self, **fields: Any) -> dict[str, Any]:
        """Add a component and return it."""
        component = {
            "conversation_flow_component_id": new_id("conversation_flow_component"),
            "name": "Book",
            "nodes": [],
            "linked_conversation_flow_ids": [],
            "user_modified_timestamp": self._options.clock.now_ms(),
            **fields,
        }
        self.components[component["conversation_flow_component_id"]] = component
        return component

    def edit(self, object_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of a component and return it."""
        if object_id not in self.components:
            raise LookupError(f"there is no component {object_id!r}")
        self.components[object_id].update(fields)
        return self.components[object_id]

    def clear(self) -> None:
        """Remove all components."""
        self.components.clear()

    def find(self, component_id: str) -> dict[str, Any]:
        """Return a component by its id, or raise the 404 for an unknown one."""
        if component_id not in self.components:
            raise ApiError(
                self._options.missing_asset_status,
                f"Item {component_id} not found from conversation-flow-component",
            )
        return self.components[component_id]
