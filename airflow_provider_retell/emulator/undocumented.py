"""Options for points that Retell does not document: one default, and the other answers that Retell may give.

An option of a resource with options of its own has a dotted name, such as ``chats.drops_null``.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any


def undocumented(default: Any, *others: Any) -> Any:
    """Return a dataclass field for such an option.

    :param default: our guess.
    :param others: examples of other values. For text, these and the default are the only values allowed.
    """
    return dataclasses.field(default=default, metadata={"others": others})


def undocumented_options(options: Any) -> dict[str, dataclasses.Field[Any]]:
    """Return the field of each such option of a dataclass, by name. Its metadata have the ``others``."""
    found = {}
    for item in dataclasses.fields(options):
        if "others" in item.metadata:
            found[item.name] = item
            continue
        group: Any = item.default_factory
        if dataclasses.is_dataclass(group):
            found.update({f"{item.name}.{name}": each for name, each in undocumented_options(group).items()})
    return found


def as_option(options: type, name: str, value: Any) -> Any:
    """Return the JSON value of such an option as the dataclass takes it.

    :raises ValueError: if there is no such option, or the value has another type.
    """
    known = undocumented_options(options)
    if name not in known:
        raise ValueError(f"unknown option {name!r}; known: {', '.join(sorted(known))}")
    value = tuple(value) if isinstance(value, list) else value
    examples = (known[name].default, *known[name].metadata["others"])
    kinds = {type(example) for example in examples}
    if type(value) not in kinds and not (type(value) is int and float in kinds):
        raise ValueError(f"{name} must be a value such as {json.dumps(examples[-1])}, not {value!r}")
    return value


def options_in_report(options: type, text: str) -> dict[str, Any]:
    """Return the values of such options in a report of ``python -m airflow_provider_retell.contract --json``.

    :raises ValueError: if the text is not such a report.
    """
    try:
        report = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON ({error})") from None
    found = report.get("emulator") if isinstance(report, dict) else None
    if not isinstance(found, dict):
        raise ValueError("not a report of the contract, because it has no options of the emulator")
    return {name: as_option(options, name, value) for name, value in found.items()}


def keywords(options: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a dataclass for options by name: dotted names become the options of a resource."""
    arguments: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        group, dot, inner = name.partition(".")
        if dot:
            groups.setdefault(group, {})[inner] = value
        else:
            arguments[name] = value
    kinds = {item.name: item.default_factory for item in dataclasses.fields(options)}
    for group, inner_values in groups.items():
        kind: Any = kinds[group]
        arguments[group] = kind(**keywords(kind, inner_values))
    return arguments


def check_values(options: Any) -> None:
    """Raise ValueError for a value of such an option that is neither its default nor one of the others."""
    for item in dataclasses.fields(options):
        value = getattr(options, item.name)
        if "others" in item.metadata and isinstance(item.default, str):
            allowed = (item.default, *item.metadata["others"])
            if value not in allowed:
                raise ValueError(f"{item.name} must be one of {', '.join(allowed)}, not {value!r}")
        elif "others" in item.metadata and item.name.endswith("_status") and not 200 <= value <= 499:
            raise ValueError(f"{item.name} must be between 200 and 499, not {value!r}")
