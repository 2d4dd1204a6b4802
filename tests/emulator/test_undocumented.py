"""Options for points that Retell does not document, with options of a resource among them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from airflow_provider_retell.emulator.undocumented import (
    as_option,
    check_values,
    keywords,
    options_in_report,
    undocumented,
    undocumented_options,
)


@dataclass(kw_only=True)
class Inner:
    missing_status: int = undocumented(404, 422)
    seconds: float = 5.0


@dataclass(kw_only=True)
class Outer:
    port: int = 0
    semantics: str = undocumented("merge", "replace")
    chats: Inner = field(default_factory=Inner)


def test_options_of_a_resource_have_dotted_names() -> None:
    found = {
        name: (item.default, *item.metadata["others"]) for name, item in undocumented_options(Outer).items()
    }
    assert found == {"semantics": ("merge", "replace"), "chats.missing_status": (404, 422)}


def test_a_report_becomes_the_arguments_of_the_options() -> None:
    text = json.dumps({"emulator": {"semantics": "replace", "chats.missing_status": 422}})
    values = options_in_report(Outer, text)
    assert Outer(**keywords(Outer, values)) == Outer(semantics="replace", chats=Inner(missing_status=422))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("port", 1, "unknown option 'port'"),
        ("chats", {}, "unknown option 'chats'"),
        ("chats.seconds", 1.0, "unknown option 'chats.seconds'"),
        ("chats.missing_status", "404", "must be a value such as 422"),
    ],
)
def test_other_options_and_types_are_rejected(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_option(Outer, name, value)


@pytest.mark.parametrize("options", [Inner(missing_status=99), Outer(semantics="drop")])
def test_other_values_are_rejected(options: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        check_values(options)
