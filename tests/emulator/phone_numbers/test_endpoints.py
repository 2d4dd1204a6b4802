"""Phone numbers, driven by the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator

NUMBER = "+14155550100"


@pytest.fixture(autouse=True)
def number(emulator: Emulator) -> None:
    """An agent with two published versions, and a number that is bound to the first."""
    emulator.add_agent(agent_id="agent_1", agent_name="Front desk")
    emulator.add_agent_version("agent_1", published=True)
    bound = [{"agent_id": "agent_1", "agent_version": 0, "weight": 1}]
    emulator.add_phone_number(NUMBER, nickname="Main line", outbound_agents=bound)


def test_a_number_can_be_bound_to_another_version(emulator: Emulator, client: Retell) -> None:
    bound = [{"agent_id": "agent_1", "agent_version": "latest_published", "weight": 1}]
    client.phone_number.update(NUMBER, outbound_agents=bound)  # type: ignore[arg-type]
    assert emulator.phone_numbers[NUMBER]["outbound_agents"] == bound


def test_weights_must_add_up_to_one(client: Retell) -> None:
    bound = [{"agent_id": "agent_1", "weight": 0.5}]
    with pytest.raises(retell.BadRequestError, match="add up to 1"):
        client.phone_number.update(NUMBER, outbound_agents=bound)  # type: ignore[arg-type]


def test_a_number_cannot_be_bound_to_an_unknown_agent(client: Retell) -> None:
    bound = [{"agent_id": "agent_none", "weight": 1}]
    with pytest.raises(retell.NotFoundError):
        client.phone_number.update(NUMBER, outbound_agents=bound)  # type: ignore[arg-type]


def test_an_unknown_number_is_not_found(client: Retell) -> None:
    with pytest.raises(retell.NotFoundError):
        client.phone_number.retrieve("+14155550199")
    with pytest.raises(retell.NotFoundError):
        client.phone_number.update("+14155550199", nickname="x")


def test_the_list_has_all_numbers(emulator: Emulator, client: Retell) -> None:
    emulator.add_phone_number("+14155550101")
    first = client.phone_number.list(limit=1)
    second = client.phone_number.list(limit=1, pagination_key=first.pagination_key)
    assert {first.items[0].phone_number, second.items[0].phone_number} == {NUMBER, "+14155550101"}


def test_a_call_speaks_with_the_version_that_its_number_is_bound_to(client: Retell) -> None:
    call = client.call.create_phone_call(from_number=NUMBER, to_number="+14155550123")
    assert (call.agent_id, call.agent_version, call.agent_name) == ("agent_1", 0, "Front desk")


def test_a_call_can_override_the_version(client: Retell) -> None:
    call = client.call.create_phone_call(
        from_number=NUMBER,
        to_number="+14155550123",
        override_agent_id="agent_1",
        override_agent_version="latest_published",
    )
    assert call.agent_version == 1


def test_another_agent_speaks_in_its_own_version(emulator: Emulator, client: Retell) -> None:
    bound = [{"agent_id": "agent_1", "agent_version": 1, "weight": 1}]
    client.phone_number.update(NUMBER, outbound_agents=bound)  # type: ignore[arg-type]
    emulator.add_agent(agent_id="agent_2")
    call = client.call.create_phone_call(
        from_number=NUMBER, to_number="+14155550123", override_agent_id="agent_2"
    )
    assert (call.agent_id, call.agent_version) == ("agent_2", 0)


def test_the_calls_of_a_batch_speak_with_the_agent_of_their_number_or_task(
    emulator: Emulator, client: Retell
) -> None:
    emulator.add_agent(agent_id="agent_2", agent_name="Sales")
    numbers = {"to_number": "+14155550123"}
    client.batch_call.create_batch_call(
        from_number=NUMBER,
        tasks=[numbers, {**numbers, "override_agent_id": "agent_2"}],  # type: ignore[list-item]
    )
    spoken = [(call["agent_id"], call["agent_version"], call["agent_name"]) for call in emulator.placed]
    assert spoken == [("agent_1", 0, "Front desk"), ("agent_2", 0, "Sales")]


def test_a_batch_with_an_unknown_agent_or_version_is_placed_all_the_same(
    emulator: Emulator, client: Retell
) -> None:
    tasks: Any = [
        {"to_number": "+14155550123", "override_agent_version": 9},
        {"to_number": "+14155550123", "override_agent_id": "agent_none"},
    ]
    client.batch_call.create_batch_call(from_number=NUMBER, tasks=tasks)
    assert [call["agent_id"] for call in emulator.placed] == ["agent_1", "agent_none"]


def test_a_call_from_a_foreign_number_is_not_found(emulator: Emulator, client: Retell) -> None:
    with pytest.raises(retell.NotFoundError, match="not found from phone-number"):
        client.call.create_phone_call(from_number="+14155550199", to_number="+14155550123")
    assert emulator.placed == []


@pytest.mark.parametrize("override", [{"override_agent_id": "agent_none"}, {"override_agent_version": 9}])
def test_a_call_with_a_foreign_agent_or_version_is_not_found(
    emulator: Emulator, client: Retell, override: dict[str, str]
) -> None:
    with pytest.raises(retell.NotFoundError, match="not found from agent"):
        client.call.create_phone_call(from_number=NUMBER, to_number="+14155550123", **override)
    assert emulator.placed == []


def test_an_organization_without_numbers_and_agents_accepts_any(emulator: Emulator, client: Retell) -> None:
    emulator.reset()
    call = client.call.create_phone_call(
        from_number="+14155550199", to_number="+14155550123", override_agent_id="agent_none"
    )
    assert call.agent_id == "agent_none"
