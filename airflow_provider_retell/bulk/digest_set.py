"""Remember which ids were seen, in 16 bytes each."""

from __future__ import annotations

from array import array
from hashlib import blake2b


class Seen:
    """A set of texts that keeps a 64-bit digest of each: a million take 16 to 32 MB, a set of them would take 150.

    Two texts of a million share a digest with a probability of 3 in 100 million.
    """

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, text: str) -> bool:
        """Remember *text*; return False if it was remembered already."""
        digest = (
            int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1
        )  # 0: a free place
        if not self._put(digest):
            return False
        self._count += 1
        if self._count * 3 > len(self._table) * 2:
            old, self._table = self._table, array("Q", bytes(16 * len(self._table)))
            for kept in old:
                if kept:
                    self._put(kept)
        return True

    def _put(self, digest: int) -> bool:
        table = self._table
        mask = len(table) - 1
        place = digest & mask
        while table[place]:
            if table[place] == digest:
                return False
            place = (place + 1) & mask
        table[place] = digest
        return True
