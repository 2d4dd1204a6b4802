"""Parse objects whose keys must be distinct. Python's parsers keep only the last value of a key."""

from __future__ import annotations

import ast
import json
from collections.abc import Hashable, Iterable
from typing import Any


class DuplicateKeyError(ValueError):
    """An object has the same key twice. The text of the error names the key."""


def check_distinct_keys(keys: Iterable[Hashable]) -> None:
    """Raise :class:`DuplicateKeyError` if two of *keys* are equal."""
    seen = set()
    for key in keys:
        if key in seen:
            from airflow_provider_retell.api.encode import safe_name

            raise DuplicateKeyError(f"the key {safe_name(str(key))} twice")
        seen.add(key)


def parse_json(text: str) -> Any:
    """Return the value of JSON text.

    :raises DuplicateKeyError: if an object has the same key twice.
    :raises ValueError: if *text* is not JSON.
    """
    return json.loads(text, object_pairs_hook=_distinct)


def parse_literal(text: str) -> Any:
    """Return the value of a Python literal.

    :raises DuplicateKeyError: if a dict has the same key twice.
    :raises Exception: those of ``ast.literal_eval``, if *text* is no literal.
    """
    tree = ast.parse(text.lstrip(" \t"), mode="eval")
    value = ast.literal_eval(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            check_distinct_keys(ast.literal_eval(key) for key in node.keys if key is not None)
    return value


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        check_distinct_keys(key for key, _ in members)
    return found
