"""The options of knowledge bases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

ErrorForm = Literal["source_id", "name", "none"]


@dataclass(kw_only=True, eq=False)
class KnowledgeBaseOptions:
    """The behavior of knowledge bases. All options may be assigned while the emulator runs.

    Retell documents the statuses, the length of the name, and the number and size of the files in a request. The other
    options are our guesses, or reports of third parties.
    """

    indexing_seconds: float = 20.0
    """The time that Retell needs to index the sources of a request, on the emulator's clock."""

    failures: dict[str, str] = field(default_factory=dict)
    """The error message by a part of a source's name: ``{"broken.pdf": "Failed to parse the file"}``. Indexing fails
    for sources with that part in their title, file name or URL."""

    error_form: ErrorForm = "source_id"
    """How ``error_messages`` names the source: by its id in an object, by its name in text, or not at all."""

    lists_failed_sources: bool = False
    """True to list sources whose indexing failed."""

    listing_delay: float = 0.0
    """Seconds between the status "complete" and the listing of new sources, and between the deletion of a source and
    its disappearance."""

    refreshes_on_delete: bool = False
    """True to index again after the deletion of a source."""

    limits: Mapping[str, int] = field(default_factory=lambda: {"text": 50, "document": 25, "url": 500})
    """The number of sources that a knowledge base can have, by type. Third parties report these numbers."""

    keeps_last_source: bool = True
    """True to refuse the deletion of the last source with 400."""

    allows_empty: bool = True
    """False to refuse the creation of a knowledge base without sources with 400."""

    sanitizes_file_names: bool = False
    """True to replace all characters of a file name except ASCII letters, digits, dots and hyphens."""

    accepts_json: bool = False
    """True to accept JSON in place of a form. Scripts in public send it, but nobody reports that it works."""

    missing_status: int = 404
    """The status code for a knowledge base or source that does not exist. Retell documents 422; 404 was observed."""

    def __post_init__(self) -> None:
        if self.error_form not in get_args(ErrorForm):
            raise ValueError(
                f"error_form must be one of {', '.join(get_args(ErrorForm))}, not {self.error_form!r}"
            )
        if self.indexing_seconds < 0 or self.listing_delay < 0:
            raise ValueError("indexing_seconds and listing_delay must be 0 or more")
