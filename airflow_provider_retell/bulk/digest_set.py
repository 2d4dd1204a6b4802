"""A set of texts with a small, constant size per text."""

from __future__ import annotations

from array import array
from hashlib import blake2b


class DigestSet:
    """A set that keeps a 64-bit digest of each text, to detect duplicates among millions of ids.

    A million texts take 16 to 32 MB; in a ``set`` they would take about 150 MB. Among a million texts, the probability
    that two have the same digest is 3 in 100 million.
    """

    def __init__(self) -> None:
        # A hash table with open addressing. 0 marks a free slot.
        self._table = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, text: str) -> bool:
        """Add *text*; return False if the set already has it."""
        digest = (
            int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
            or 1
        )
        if not self._insert(digest):
            return False
        self._count += 1
        if self._count * 3 > len(self._table) * 2:
            old, self._table = self._table, array("Q", bytes(16 * len(self._table)))
            for digest in filter(None, old):
                self._insert(digest)
        return True

    def _insert(self, digest: int) -> bool:
        table = self._table
        mask = len(table) - 1
        slot = digest & mask
        while table[slot]:
            if table[slot] == digest:
                return False
            slot = (slot + 1) & mask
        table[slot] = digest
        return True
