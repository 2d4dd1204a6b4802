"""A model of updates: the metadata that a call must have afterwards."""

from __future__ import annotations

from typing import Any


def planned(
    current: dict[str, Any] | None, wanted: dict[str, Any] | None, mode: str, remove: frozenset[str]
) -> dict[str, Any]:
    """Return the metadata after an update with *wanted*, or without new metadata if it is None."""
    current = current or {}
    if wanted is None:
        target = dict(current)
    elif mode == "replace":
        target = dict(wanted)
    elif mode == "merge":
        target = current | wanted
    else:
        target = dict(current)
        for key, value in wanted.items():
            if target.get(key) is None:
                target[key] = value
    return {key: value for key, value in target.items() if key not in remove}
