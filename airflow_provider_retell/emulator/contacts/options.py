"""The options of contacts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from airflow_provider_retell.emulator.paging import MAX_PAGE
from airflow_provider_retell.emulator.undocumented import check_values, undocumented


@dataclass(kw_only=True, eq=False)
class ContactOptions:
    """The behavior of contacts. All options may be assigned while the emulator runs."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags in the CRM configuration: the label by id. Responses leave out other tags, as documented."""

    custom_fields: Collection[str] | None = None
    """The custom fields in the CRM configuration. Others are rejected with 400, which is our guess. None accepts
    any."""

    synced: bool = False
    """True for a two-way sync with a CRM: contacts with an ``external_id`` cannot be deleted. The status, 400, is our
    guess."""

    max_page: int = undocumented(MAX_PAGE, 125)
    """The largest ``limit`` of list-contacts. Retell does not document it."""

    existing_status: int = undocumented(409, 400, 422)
    """The status code of create-contact for a phone number that a contact has. Retell does not document it."""

    missing_status: int = undocumented(404, 422)
    """The status code for a contact that does not exist. Retell does not document it."""

    def __post_init__(self) -> None:
        check_values(self)
