"""A set of texts, and a map from texts to small numbers, with a small, constant size per text."""

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
        digest = _digest(text)
        slot = self._slot(digest)
        if self._table[slot]:
            return False
        self._insert(slot, digest)
        return True

    def _slot(self, digest: int) -> int:
        """Return the slot with *digest*, or the free one for it."""
        table = self._table
        mask = len(table) - 1
        slot = digest & mask
        while table[slot] and table[slot] != digest:
            slot = (slot + 1) & mask
        return slot

    def _insert(self, slot: int, digest: int) -> None:
        self._table[slot] = digest
        self._count += 1
        if self._count * 3 > len(self._table) * 2:
            self._grow()

    def _grow(self) -> None:
        old, self._table = self._table, array("Q", bytes(16 * len(self._table)))
        for digest in filter(None, old):
            self._table[self._slot(digest)] = digest


class DigestMap(DigestSet):
    """A map from texts to numbers from 0 to 255. A text that is not in the map has the number 0."""

    def __init__(self) -> None:
        super().__init__()
        self._values = bytearray(len(self._table))

    def __getitem__(self, text: str) -> int:
        return self._values[self._slot(_digest(text))]

    def __setitem__(self, text: str, value: int) -> None:
        digest = _digest(text)
        slot = self._slot(digest)
        self._values[slot] = value
        if not self._table[slot]:
            self._insert(slot, digest)

    def _grow(self) -> None:
        old, values = self._table, self._values
        self._table = array("Q", bytes(16 * len(old)))
        self._values = bytearray(len(self._table))
        for slot, digest in enumerate(old):
            if digest:
                new = self._slot(digest)
                self._table[new], self._values[new] = digest, values[slot]


def _digest(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1
