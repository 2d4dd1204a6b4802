"""Delete objects of Retell."""

from __future__ import annotations

import logging
from typing import Any

from airflow_provider_retell.api.errors import NotFoundError
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
