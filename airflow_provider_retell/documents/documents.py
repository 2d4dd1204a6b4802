"""Sources of documents: their base class, lists and functions.

DAG files import this module, so it imports neither Airflow nor other libraries.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.function_context import call_with_context
from airflow_provider_retell.bulk.source import Source

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
    """

    title: str
    is_text: bool
    size: int
    open: Callable[[], BinaryIO] = field(repr=False)


Entry = TextEntry | FileEntry


class Documents(Source):
    """A source of documents."""

    @abstractmethod
    def read(self) -> Iterator[Entry]:
        """Yield the documents."""

    def reads(self, path: str) -> bool:
        """Return True if *path* is or would be one of the documents, so that no report is written there."""
        return False

    def serialize(self) -> str:
        """Return the text that Airflow shows under "Rendered Templates"."""
        return str(self)


class GivenDocuments(Documents):
    """Documents in a list.

    Airflow renders the other sources in the list, but not the dicts: texts may have braces of their own.

    :param documents: dicts with ``title`` and ``text``, and other sources of documents.
    """

    template_fields = ("entries",)

    def __init__(self, documents: Iterable[Any]) -> None:
        self.entries = [_Literal(item) if isinstance(item, Mapping) else item for item in documents]

    def __str__(self) -> str:
        return f"a list of {len(self.entries)}"

    __repr__ = __str__

    def read(self) -> Iterator[Entry]:
        """Yield the documents of the list, and those of the sources in it."""
        for number, item in enumerate(self.entries, 1):
            value = item.value if isinstance(item, _Literal) else item
            if isinstance(value, (Documents, list, tuple)):
                yield from as_documents(value).read()
            elif isinstance(value, Mapping) and {"title", "text"} <= value.keys():
                yield TextEntry(value["title"], value["text"])
            else:
                fault = f"is a {type(value).__name__}"
                if isinstance(value, Mapping):
                    fault = "lacks 'title' or 'text'"
                raise RetellInputError(
                    f"documents: entry {number} {fault}. It must be a dict with 'title' and 'text'"
                )

    def bind(self, context: Mapping[str, Any]) -> None:
        """Pass the context to the sources in the list."""
        for item in self.entries:
            if isinstance(item, Documents):
                item.bind(context)

    def reads(self, path: str) -> bool:
        """Return True if a source in the list reads *path*."""
        return any(item.reads(path) for item in self.entries if isinstance(item, Documents))


class CallableDocuments(Documents):
    """Documents that a function returns or yields.

    :param function: called when the task runs, with the parts of the task's context that it has parameters for.
    """

    def __init__(self, function: Callable[..., Iterable[Any]]) -> None:
        self._function = function
        self._context: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return f"documents of {getattr(self._function, '__name__', 'a function')}()"

    __repr__ = __str__

    def bind(self, context: Mapping[str, Any]) -> None:
        """Receive the context for the function."""
        self._context = context

    def read(self) -> Iterator[Entry]:
        """Yield the documents that the function returns."""
        found = call_with_context(self._function, self._context)
        # One at a time: a function that yields may not have all of them in memory.
        for item in found if isinstance(found, Iterator) else [found]:
            yield from as_documents(item if item is found else [item]).read()


class _Literal:
    """A value that Airflow does not render."""

    def __init__(self, value: Any) -> None:
        self.value = value


def as_documents(source: Any) -> Documents:
    """Return *source* as :class:`Documents`; raise :class:`RetellInputError` if it is not one."""
    if isinstance(source, Documents):
        return source
    check_not_iterator(source)
    if isinstance(source, (str, bytes, Mapping)) or not isinstance(source, Iterable):
        kind = "text" if isinstance(source, str) else f"a {type(source).__name__}"
        raise RetellInputError(f"documents must be {_KINDS}, not {kind}")
    return GivenDocuments(source)


def as_template(documents: Any) -> Any:
    """Return the value of an operator's parameter in a form whose templates Airflow can render."""
    check_not_iterator(documents)
    if isinstance(documents, (list, tuple)):
        return GivenDocuments(documents)
    # Airflow would call a function in a template field itself, with its own arguments.
    return CallableDocuments(documents) if callable(documents) else documents


def check_not_iterator(source: Any) -> None:
    """Raise :class:`RetellInputError` if *source* is an iterator, because a retry would find it empty."""
    if isinstance(source, Iterator):
        raise RetellInputError(
            "documents must not be an iterator, because a retry would find it empty. Use the function that creates it"
        )
