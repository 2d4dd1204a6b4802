"""A mapping that counts how often its value is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class CountingMapping(Mapping[str, Any]):
    """A mapping with one key.

    :ivar reads: how often the value was read.
    """

    def __init__(self, key: str, value: Any) -> None:
        self.reads = 0
        self._key = key
        self._value = value

    def __getitem__(self, key: str) -> Any:
        if key != self._key:
            raise KeyError(key)
        self.reads += 1
        return self._value

    def __iter__(self) -> Iterator[str]:
        return iter([self._key])

    def __len__(self) -> int:
        return 1
