"""The rules of updates that calls and chats share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.schema import compact_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_retell.emulator.organization.organization import Organization
    from airflow_provider_retell.emulator.record_options import RecordOptions
    from airflow_provider_retell.emulator.schema import Schema


CUSTOM_ATTRIBUTES: Schema = {
    "type": "object",
    "additionalProperties": {"type": ("string", "number", "boolean")},
}
"""The schema of the custom attributes in an update."""


def check_size(org: Organization, fields: dict[str, Any], at: str) -> None:
    """Refuse metadata that is too large.

    :param at: the place of *fields* in the request, for the message.
    """
    limit = org.options.metadata_max_bytes
    if compact_size(fields.get("metadata", {})) > limit:
        raise ApiError(400, f"{at}/metadata must NOT be larger than {limit} bytes")


def check_attributes(org: Organization, options: RecordOptions, body: dict[str, Any]) -> None:
    """Refuse custom attributes that the organization does not have, if *options* say so."""
    unknown = body.get("custom_attributes", {}).keys() - org.custom_attributes
    if unknown and options.rejects_unknown_attributes:
        raise ApiError(400, f"body/custom_attributes must NOT have unknown attributes: {', '.join(unknown)}")


def check_tightening(record: dict[str, Any], setting: str, order: Sequence[str], status: int) -> None:
    """Raise an error with *status* if *setting* is less strict than the present one.

    :param order: the values of ``data_storage_setting``, the least strict first.
    """
    present = record.get("data_storage_setting", order[0])
    if order.index(setting) < order.index(present):
        raise ApiError(
            status, f"data_storage_setting cannot be changed from {present} to the less restrictive {setting}"
        )


def set_fields(
    org: Organization, options: RecordOptions, record: dict[str, Any], body: dict[str, Any]
) -> None:
    """Set the metadata and the custom attributes of *record*. Attributes that are not defined are dropped."""
    if "metadata" in body:
        _set_metadata(options, record, body["metadata"])
    if "custom_attributes" in body:
        known = {
            name: value for name, value in body["custom_attributes"].items() if name in org.custom_attributes
        }
        merged = options.custom_attributes_semantics == "merge"
        record["custom_attributes"] = {**record.get("custom_attributes", {}), **known} if merged else known


def _set_metadata(options: RecordOptions, record: dict[str, Any], metadata: dict[str, Any]) -> None:
    if not metadata and not options.empty_metadata_clears:
        return
    if options.metadata_semantics == "merge":
        metadata = {**record.get("metadata", {}), **metadata}
    if options.drops_null:
        metadata = {name: value for name, value in metadata.items() if value is not None}
    record["metadata"] = metadata
