"""Sources of documents: their base class, lists and functions.

DAG files import this module, so it is light: Airflow's hooks and file systems are imported when documents are read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_KINDS = "FileDocuments, SqlDocuments, a list of dicts with 'title' and 'text', or a function that returns such dicts"


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


class Documents(ABC):
    """A source of documents."""

    template_fields: Sequence[str] = ()

    @abstractmethod
    def read(self) -> Iterator[Entry]:
        """Yield the documents."""

    def reads(self, path: str) -> bool:
        """Return True if *path* is or would be one of the documents, so that no report is written there."""
        return False

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.template_fields)
        return f"{type(self).__name__}({fields})"

    __repr__ = __str__

    def serialize(self) -> str:
        """Return the text that Airflow shows under "Rendered Templates"."""
        return str(self)


class GivenDocuments(Documents):
    """Documents in a list.

    :param documents: dicts with ``title`` and ``text``, and other sources of documents.
    """

    def __init__(self, documents: Iterable[Any]) -> None:
        self._documents = documents

    def __str__(self) -> str:
        return f"a list of {len(self._documents)}" if isinstance(self._documents, Sequence) else "a list"

    __repr__ = __str__

    def read(self) -> Iterator[Entry]:
        """Yield the documents of the list, and those of the sources in it."""
        from airflow_provider_retell.api.errors import RetellInputError

        for number, item in enumerate(self._documents, 1):
            if isinstance(item, Documents):
                yield from item.read()
            elif isinstance(item, Mapping) and {"title", "text"} <= item.keys():
                yield TextEntry(item["title"], item["text"])
            else:
                kind = (
                    "lacks 'title' or 'text'" if isinstance(item, Mapping) else f"is a {type(item).__name__}"
                )
                raise RetellInputError(
                    f"documents: entry {number} {kind}; it must be a dict with 'title' and 'text'"
                )

    def reads(self, path: str) -> bool:
        """Return True if a source in the list reads *path*."""
        return any(item.reads(path) for item in self._documents if isinstance(item, Documents))


class CallableDocuments(Documents):
    """Documents that a function returns or yields.

    :param function: called without arguments when the task runs.
    """

    def __init__(self, function: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._function = function

    def __str__(self) -> str:
        return f"documents of {getattr(self._function, '__name__', 'a function')}()"

    __repr__ = __str__

    def read(self) -> Iterator[Entry]:
        """Yield the documents that the function returns."""
        found = self._function()
        yield from (GivenDocuments(found) if isinstance(found, Iterator) else as_documents(found)).read()


def as_documents(source: Any) -> Documents:
    """Return *source* as :class:`Documents`; raise :class:`RetellInputError` if it is not one."""
    from airflow_provider_retell.api.errors import RetellInputError

    if isinstance(source, Documents):
        return source
    if isinstance(source, Iterator):
        raise RetellInputError(
            "documents must not be an iterator, because a retry would find it empty: use the function that returns it"
        )
    if isinstance(source, (str, bytes, Mapping)) or not isinstance(source, Iterable):
        kind = "text" if isinstance(source, str) else f"a {type(source).__name__}"
        raise RetellInputError(f"documents must be {_KINDS}, not {kind}")
    return GivenDocuments(source)
