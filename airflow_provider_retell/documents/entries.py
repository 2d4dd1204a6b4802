"""Documents as their sources yield them, before their contents are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO


@dataclass(frozen=True)
class TextEntry:
    """A document whose text is in memory. Title and text are as the user gave them, unchecked."""

    title: Any
    text: Any = field(repr=False)


@dataclass(frozen=True)
class FileEntry:
    """A document in a file.

    :ivar title: the path relative to the root of its source.
    :ivar is_text: True to make it a text, False to make it a file.
    :ivar size: the number of bytes.
    :ivar open: opens the file.
    """

    title: str
    is_text: bool
    size: int
    open: Callable[[], BinaryIO] = field(repr=False)


Entry = TextEntry | FileEntry
