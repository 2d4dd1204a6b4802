"""Assign the error messages of a knowledge base to its sources."""

from __future__ import annotations

import re

from airflow_provider_retell.api.knowledge_bases.document import Mark
from airflow_provider_retell.api.knowledge_bases.models import KnowledgeBase, KnowledgeBaseSource

# The names of files and URLs, in contrast to titles such as "page".
_DISTINCT = re.compile(r"\S*\w[._/]\w\S*")
_OPENING, _CLOSING = r"[\"'`([{<\u2018\u201c]", r"[\"'`)\]}>\u2019\u201d]"


class SourceErrors:
    """The error messages of a knowledge base, assigned to sources.

    Retell does not document whether a message has the id or the name of its source, so both count. A title that
    consists of ordinary words must be in quotes or brackets, or before or after a colon.
    """

    def __init__(self, knowledge_base: KnowledgeBase) -> None:
        self._errors = knowledge_base.errors
        self._sources = knowledge_base.sources

    def of_mark(self, mark: str) -> str:
        """Return the message about a source with *mark*, listed or not, or ``""``."""
        for source in self._sources:
            if str(Mark.find(source.name)) == mark and (message := self.of_source(source)):
                return message
        return self._about(re.compile(_mark(mark)))

    def of_source(self, source: KnowledgeBaseSource) -> str:
        """Return the message about a listed source, or ``""``."""
        return source.error or self._about(_pattern(source))

    def unassigned(self) -> list[str]:
        """Return the messages that name neither a listed source nor a mark."""
        patterns = list(map(_pattern, self._sources))
        return [
            error.message
            for error in self._errors
            if "airflow-" not in error.text and not any(pattern.search(error.text) for pattern in patterns)
        ]

    def _about(self, pattern: re.Pattern[str]) -> str:
        return next((error.message for error in self._errors if pattern.search(error.text)), "")


def _pattern(source: KnowledgeBaseSource) -> re.Pattern[str]:
    """Return what finds the id, the mark or the name of *source* in a message."""
    mark = Mark.find(source.name)
    names = [_word(source.source_id)]
    if mark is not None:
        names.append(_mark(str(mark)))
    elif _DISTINCT.fullmatch(source.name):
        names.append(_word(source.name))
    elif source.name:
        name = re.escape(source.name)
        names.append(rf"{_OPENING}{name}{_CLOSING}|(?:^|:\s*){name}(?=\s*(?::|$))")
    return re.compile("|".join(names))


def _word(name: str) -> str:
    """Return what finds *name*, but not as a part of a longer name."""
    return rf"(?<![\w./-]){re.escape(name)}(?![\w/-]|\.\w)"


def _mark(mark: str) -> str:
    """Return what finds *mark*, also in the name of a file."""
    return rf"{re.escape(mark)}(?!\w)"
