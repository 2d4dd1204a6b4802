"""Compare the fields of a contact with wanted values, and verify them in a response.

Fields have flat names: ``first_name``, ``last_name``, ``do_not_call``, ``custom_fields.NAME`` and ``tags.ID``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from airflow_provider_retell.api.contacts.models import Contact
from airflow_provider_retell.api.encode import JsonValue, UnsendableError, same_json, sendable
from airflow_provider_retell.api.errors import RetellError, UpdateMismatchError

Fields: TypeAlias = Mapping[str, JsonValue]
"""Values by flat name. A tag that the contact has is true."""

DO_NOT_CALL = "do_not_call"
CUSTOM = "custom_fields."
TAG = "tags."

NAMES = ("first_name", "last_name")

OTHER_CUSTOM = "custom_fields"
"""A field of contacts that have more custom fields than those that are known."""

UNKNOWN_TAGS = "tags"
"""A field of contacts whose response has no ``contact_tags``. All their tags differ from any wanted value."""


def fields_of(contact: Contact) -> dict[str, JsonValue]:
    """Return the fields of a contact that can be compared."""
    return {
        **{name: getattr(contact, name) for name in NAMES if getattr(contact, name)},
        DO_NOT_CALL: bool(contact.do_not_call),
        **{f"{CUSTOM}{name}": value for name, value in (contact.custom_fields or {}).items()},
        **{f"{TAG}{tag.id}": True for tag in contact.contact_tags or ()},
        **({UNKNOWN_TAGS: True} if contact.contact_tags is None else {}),
    }


def diff(current: Fields, wanted: Fields) -> tuple[str, ...]:
    """Return the names of the *wanted* fields whose values differ in *current*."""
    return tuple(name for name, value in wanted.items() if not _is_same(name, current, value))


def _is_same(name: str, current: Fields, wanted: JsonValue) -> bool:
    if name.startswith(TAG) and UNKNOWN_TAGS in current:
        return False
    if name == DO_NOT_CALL or name.startswith(TAG):
        return bool(current.get(name)) is bool(wanted)
    return same_json(current.get(name), wanted)


def changes_tags(changed: tuple[str, ...]) -> bool:
    """Return True if a tag is among the changed fields."""
    return any(name.startswith(TAG) for name in changed)


def needs_custom_fields(current: Fields, wanted: Fields, changed: tuple[str, ...]) -> bool:
    """Return True if a custom field is among the changed fields, and the contact has some that are not wanted."""
    others = (name for name, value in current.items() if name not in wanted and value is not None)
    return any(name.startswith(CUSTOM) for name in changed) and any(
        name == OTHER_CUSTOM or name.startswith(CUSTOM) for name in others
    )


def clears_do_not_call(current: Fields, wanted: Fields) -> bool:
    """Return True if the wanted values clear the contact's do-not-call mark."""
    return bool(current.get(DO_NOT_CALL)) and wanted.get(DO_NOT_CALL) is False


def body_fields(current: Fields, wanted: Fields, changed: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of the request that makes the change.

    It has all tags, because Retell replaces them, and all custom fields, because it does not document whether it does.

    :raises RetellError: if tags change, and the present tags are unknown, or if a custom field cannot be sent back.
    """
    fields: dict[str, Any] = {name: wanted[name] for name in changed if name in (*NAMES, DO_NOT_CALL)}
    custom = {name.removeprefix(CUSTOM): wanted[name] for name in changed if name.startswith(CUSTOM)}
    if custom:
        fields["custom_fields"] = {**_kept(current, changed), **custom}
    if changes_tags(changed):
        if UNKNOWN_TAGS in current:
            raise RetellError(
                "Retell's response has no contact_tags, so the change could delete other tags of the contact. The "
                "contact was not changed. Change the tags in Retell's dashboard, or sync without tag_columns"
            )
        tags = {**current, **wanted}
        fields["contact_tag_ids"] = sorted(
            name.removeprefix(TAG) for name, value in tags.items() if name.startswith(TAG) and value
        )
    return fields


def _kept(current: Fields, changed: tuple[str, ...]) -> dict[str, Any]:
    """Return the custom fields that do not change, in a form that Retell stores unchanged."""
    kept = {
        name.removeprefix(CUSTOM): value
        for name, value in current.items()
        if name.startswith(CUSTOM) and name not in changed and value is not None
    }
    try:
        fields: dict[str, Any] = sendable(kept)
    except UnsendableError as error:
        raise RetellError(
            f"the contact's custom fields have {error}, so they cannot be preserved. The contact was not changed. "
            "Change that field in Retell's dashboard"
        ) from None
    return fields


def sent_fields(fields: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return the custom fields of a request, by flat name."""
    return {f"{CUSTOM}{name}": value for name, value in fields.get("custom_fields", {}).items()}


def verify(contact: Contact, wanted: Fields) -> None:
    """Raise :class:`UpdateMismatchError` if the response to a change lacks a wanted value."""
    wrong = diff(fields_of(contact), wanted)
    if wrong:
        hint = (
            "Custom fields and tags must be defined in Retell's CRM configuration first, and values must have the "
            "type defined there"
            if any(name.startswith((CUSTOM, TAG)) for name in wrong)
            else "Read the contact and compare, then run the task again"
        )
        raise UpdateMismatchError(
            f"contact {contact.contact_id}: Retell accepted the change, but these fields of the contact differ from "
            f"the values sent: {', '.join(wrong)}. {hint}",
            fields=wrong,
        )
