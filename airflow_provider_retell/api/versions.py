"""References to versions of agents."""

from __future__ import annotations


def version_number(reference: int | str | None) -> int | str | None:
    """Return a reference to a version, as a number if it is the text of one.

    Other references are ``latest``, ``latest_published`` and tags.
    """
    return int(reference) if isinstance(reference, str) and reference.isdecimal() else reference
