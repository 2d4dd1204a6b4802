"""Delete objects of Retell."""

from __future__ import annotations

import logging
from typing import Any

from airflow_provider_retell.api.errors import NotFoundError, RetellInputError
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.request import Flow, Request

log = logging.getLogger(__name__)


def delete(request: Request[Any]) -> Flow[None]:
    """Send a deletion. An unknown object counts as deleted: the response to an earlier attempt may be lost.

    :raises NotFoundError: without Retell's reason, and for 422 whose reason is not that the object is unknown.
    """
    try:
        yield request.with_parser(no_result)
    except NotFoundError as error:
        is_unknown = error.status == 404 or "not found" in error.detail.lower()
        if not (error.detail and is_unknown):
            raise
        log.info("Retell does not know %s any more", request.subject)


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
