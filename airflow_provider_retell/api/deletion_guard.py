"""A guard against deletions that are probably a mistake."""

from __future__ import annotations

from airflow_provider_retell.api.errors import RetellInputError


def check_deleted_ratio(deleted: int, owned: int, max_deleted_ratio: float, kind: str, origin: str) -> None:
    """Raise :class:`RetellInputError` if a task would delete too large a share of its things.

    :param deleted: the number to delete without a replacement.
    :param owned: the number of all.
    :param max_deleted_ratio: the largest share that may be deleted, 0 to 1.
    :param kind: describes the things, in the plural, for the message.
    :param origin: describes the source that may be incomplete, for the message.
    """
    if owned and deleted / owned > max_deleted_ratio:
        raise RetellInputError(
            f"{deleted} of the {owned} {kind} ({deleted / owned:.0%}) would be deleted without a replacement, and "
            f"max_deleted_ratio is {max_deleted_ratio:g}: check {origin}, or raise max_deleted_ratio for one run"
        )
