"""The fields that a call or chat can have. DAG files import this module, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class RecordFields:
    """The fields of one kind of record.

    :ivar listed: the fields of listed records.
    :ivar transcripts: the fields that only whole records have.
    """

    kind: str
    listed: frozenset[str]
    transcripts: frozenset[str]

    def check(self, fields: Iterable[str], whole: bool) -> None:
        """Raise :class:`ValueError` if records do not have all *fields*.

        :param whole: True if each record is read separately, False if the records are only listed.
        """
        unknown = [name for name in fields if name not in self.listed | self.transcripts]
        if unknown:
            raise ValueError(
                f"fields: no {self.kind} has {', '.join(map(str, unknown))}. Leave fields out to keep all of them, "
                "including those that Retell adds later"
            )
        unlisted = [name for name in fields if name in self.transcripts]
        if unlisted and not whole:
            raise ValueError(
                f"fields: listed {self.kind}s have no {', '.join(unlisted)}. Set whole_{self.kind}s=True as well"
            )
