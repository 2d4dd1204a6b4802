"""Decide if reading a call may show a link that its listing lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

# Reads that show no new link to a file, until a listing without the link is trusted.
_CONFIRMATIONS = 20


class ListedLinks:
    """Knows which links of a listing are complete, as far as a run has seen.

    Retell's pages contradict each other about links in lists. A listed call without a link is therefore read, until
    the listing has shown this link for another call and 20 reads in a row have shown no link that the listing lacks.
    After a read that shows one, all further calls without the link are read.
    """

    def __init__(self) -> None:
        self._listed: set[str] = set()
        self._left_out: set[str] = set()
        self._confirmed: Counter[str] = Counter()

    def note_listed(self, names: Iterable[str]) -> None:
        """Note the files whose links a listing shows for a call."""
        self._listed.update(names)

    def note_read(self, names: Iterable[str], read: Iterable[str]) -> None:
        """Note the files *names*, whose links a listing lacks, and the files *read*, which the call itself has."""
        missing = set(names)
        self._left_out |= missing.intersection(read)
        self._confirmed.update(missing.difference(read))

    def are_complete(self, name: str) -> bool:
        """Return True if a call without the link to the file *name* in a listing has none."""
        is_confirmed = name in self._listed and self._confirmed[name] >= _CONFIRMATIONS
        return is_confirmed and name not in self._left_out
