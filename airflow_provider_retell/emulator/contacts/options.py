"""The options of contacts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from airflow_provider_retell.emulator.paging import MAX_PAGE
from airflow_provider_retell.emulator.undocumented import check_values, undocumented


@dataclass(kw_only=True, eq=False)
class ContactOptions:
    """The behavior of contacts. All options may be assigned while the emulator runs."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags in the CRM configuration: the label by id. Responses leave out other tags, as documented."""

    custom_fields: Collection[str] | dict[str, str] | None = None
    """The custom fields in the CRM configuration. Others are rejected with 400, which is our guess. None accepts
    any. A dict from field to ``"text"``, ``"number"`` or ``"boolean"`` is the type that an import gives its values."""

    custom_fields_semantics: Literal["merge", "replace"] = undocumented("merge", "replace")
    """The effect of update-contact on the custom fields that it leaves out: keep them, or remove them. Retell documents
    only that a null clears one."""

    synced: bool = False
    """True for a two-way sync with a CRM: contacts with an ``external_id`` cannot be deleted. The status, 400, is our
    guess."""

    max_page: int = undocumented(MAX_PAGE, 125)
    """The largest ``limit`` of list-contacts. Retell does not document it."""

    existing_status: int = undocumented(409, 400, 422)
    """The status code of create-contact for a phone number that a contact has. Retell does not document it."""

    missing_status: int = undocumented(404, 422)
    """The status code for a contact that does not exist. Retell does not document it."""

    import_seconds: float = 30.0
    """The time that an import takes, on the emulator's clock. The first half of the rows is imported after half of
    it."""

    import_queue_seconds: float = 0.0
    """The time that an import is queued before it runs."""

    import_failures: Collection[str] = ()
    """The phone numbers of rows that cannot be imported. Retell counts them, and names neither rows nor reasons."""

    import_busy_status: int = undocumented(409, 400, 422)
    """The status code of create-contact-import while another import is queued or running."""

    import_start: Literal["kept", "absent", "moved"] = undocumented("kept", "absent", "moved")
    """The ``start_timestamp`` of a queued import: ``kept`` when it begins to run, ``absent`` until then, or ``moved``
    to that time."""

    import_lag: float = 0.0
    """Seconds after create-contact-import for which get-contact-import still shows the import before it. No check of
    the contract measures it: the operator and the checks wait until the import is shown."""

    import_read_lag: float = 0.0
    """Seconds after the end of an import until its contacts can be read. No check of the contract measures it: the
    operator compares rows up to three times, and the checks of imported contacts show a longer lag as a difference."""

    import_blanks: str = undocumented("clear", "keep")
    """What a blank cell in a mapped column does to the field of a contact."""

    import_marks: str = undocumented("words", "digits")
    """How a file writes the do-not-call mark: ``true`` and ``false``, or ``1`` and ``0``. Other texts are row
    errors."""

    def __post_init__(self) -> None:
        check_values(self)
        for name in ("import_seconds", "import_queue_seconds", "import_lag", "import_read_lag"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more")
