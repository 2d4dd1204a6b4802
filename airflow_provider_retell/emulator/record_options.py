"""The options that calls and chats have in common: points that Retell does not document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from airflow_provider_retell.emulator.undocumented import undocumented


@dataclass(kw_only=True, eq=False)
class RecordOptions:
    """How calls and chats behave where Retell's documentation is silent. The defaults are our guesses."""

    unknown_id_status: int = undocumented(422, 404)
    """The status code for an unknown id. Retell documents 422, and has been seen to answer 404 instead."""

    metadata_semantics: Literal["replace", "merge"] = undocumented("replace", "merge")
    """The effect of an update on metadata: replace all of it, or merge the top level."""

    empty_metadata_clears: bool = undocumented(True, False)
    """True if ``metadata={}`` removes all metadata, False if it changes nothing."""

    drops_null: bool = undocumented(False, True)
    """True to drop top-level metadata keys whose value is null."""

    custom_attributes_semantics: Literal["merge", "replace"] = undocumented("merge", "replace")
    """The effect of an update on custom attributes: merge them with the present ones, or replace all of them."""

    rejects_unknown_attributes: bool = undocumented(False, True)
    """True to reject an update with custom attributes that the organization does not have. Retell documents that
    it drops them."""

    max_ids_per_filter: int | None = undocumented(None, 100)
    """The number of ids that the filter of a list accepts before it responds with 400. None means no limit, since
    Retell documents none."""
