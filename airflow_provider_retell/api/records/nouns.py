"""The nouns of calls and chats. DAG files import this module, so it imports nothing heavy."""

from __future__ import annotations

from typing import Literal, get_args

Noun = Literal["call", "chat"]

NOUNS: tuple[Noun, ...] = get_args(Noun)
