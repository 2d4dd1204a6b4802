"""The flags of the command line that allow checks to do more than read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """An option of the command line that allows checks to do more than read.

    :ivar option: its name, for example ``--call-id``.
    :ivar help: the permission that it gives.
    :ivar metavar: the name of its value, or ``""`` for a flag without a value.
    :ivar many: True if it may be repeated.
    """

    option: str
    help: str
    metavar: str = ""
    many: bool = False


WRITE = Flag("--write", "run checks that change something and then restore it")
