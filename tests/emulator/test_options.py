"""The options of an emulator."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle, Options

if TYPE_CHECKING:
    from retell import Retell


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outcomes": {"+14155550123": "no_answer"}}, "disconnection_reason"),
        ({"metadata_semantics": "overwrite"}, "metadata_semantics"),
        ({"port": 70_000}, "port"),
        ({"ended_statuses": ("done",)}, "ended_statuses"),
        ({"concurrency": -1}, "concurrency"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_invalid_option_is_named_in_the_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Emulator(**options)


def test_an_unknown_option_is_named_in_the_error() -> None:
    with pytest.raises(TypeError, match="volume"):
        Emulator(volume="red")  # type: ignore[call-arg]


def test_the_delays_of_a_life_cycle_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        Lifecycle(talk=-1)


def test_the_constructor_has_the_options_as_keywords() -> None:
    emulator = inspect.signature(Emulator).parameters.values()
    options = inspect.signature(Options).parameters.values()
    assert [(p.name, p.kind, p.default) for p in emulator] == [(p.name, p.kind, p.default) for p in options]


def test_the_emulator_shows_its_options() -> None:
    clock = Clock(frozen=True)
    emulator = Emulator(api_key="key_mine", clock=clock, drops_null=True)
    assert (emulator.api_key, emulator.clock, emulator.options.drops_null) == ("key_mine", clock, True)


def test_an_option_that_shapes_responses_may_change_while_the_emulator_runs(
    emulator: Emulator, client: Retell
) -> None:
    emulator.add_call(call_id="call_1", metadata={"a": 1})
    emulator.options.metadata_semantics = "merge"
    assert client.call.update("call_1", metadata={"b": 2}).metadata == {"a": 1, "b": 2}
