"""Options for points that Retell does not document: one default, and the other answers that Retell may give."""

from __future__ import annotations

import json
from dataclasses import field, fields
from typing import Any


def undocumented(default: Any, *others: Any) -> Any:
    """Return a dataclass field for such an option.

    :param default: our guess.
    :param others: examples of other values. For text, these and the default are the only values allowed.
    """
    return field(default=default, metadata={"others": others})


def undocumented_options(options: type) -> dict[str, tuple[Any, ...]]:
    """Return the other values of each such option of a dataclass, by name."""
    return {item.name: item.metadata["others"] for item in fields(options) if "others" in item.metadata}


def as_option(options: type, name: str, value: Any) -> Any:
    """Return the JSON value of such an option as the dataclass takes it.

    :raises ValueError: if there is no such option, or the value has another type.
    """
    known = {item.name: item for item in fields(options) if "others" in item.metadata}
    if name not in known:
        raise ValueError(f"unknown option {name!r}; known: {', '.join(sorted(known))}")
    value = tuple(value) if isinstance(value, list) else value
    examples = (known[name].default, *known[name].metadata["others"])
    kinds = {type(example) for example in examples}
    if type(value) not in kinds and not (type(value) is int and float in kinds):
        raise ValueError(f"{name} must be a value such as {json.dumps(examples[-1])}, not {value!r}")
    return value


def check_values(options: Any) -> None:
    """Raise ValueError for a value of such an option that is neither its default nor one of the others."""
    for item in fields(options):
        value = getattr(options, item.name)
        if "others" in item.metadata and isinstance(item.default, str):
            allowed = (item.default, *item.metadata["others"])
            if value not in allowed:
                raise ValueError(f"{item.name} must be one of {', '.join(allowed)}, not {value!r}")
        elif "others" in item.metadata and item.name.endswith("_status") and not 200 <= value <= 499:
            raise ValueError(f"{item.name} must be between 200 and 499, not {value!r}")
