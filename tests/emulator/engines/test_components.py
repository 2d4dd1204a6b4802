"""Shared conversation flow components, driven by the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import retell
from retell.types import ConversationFlowComponentResponse

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send


def test_a_component_has_all_fields_that_the_sdk_requires(
    emulator: Emulator, client: Retell, send: Send
) -> None:
    (added,) = send(emulator, "POST", "/_emulator/conversation-flow-components", {"name": "Pay"}).json
    component_id = added["conversation_flow_component_id"]
    path = f"/_emulator/conversation-flow-components/{component_id}"
    assert send(emulator, "PATCH", path, {"nodes": [{"id": "n", "type": "end"}]}).status == 200
    component = client.conversation_flow_component.retrieve(component_id)
    ConversationFlowComponentResponse.model_validate(component.model_dump())
    assert (component.name, component.nodes[0].id) == ("Pay", "n")
    assert len(send(emulator, "GET", "/_emulator/conversation-flow-components").json) == 1


def test_an_unknown_component_is_not_found(emulator: Emulator, client: Retell, send: Send) -> None:
    assert send(emulator, "PATCH", "/_emulator/conversation-flow-components/x", {}).status == 404
    with pytest.raises(retell.NotFoundError):
        client.conversation_flow_component.retrieve("x")
