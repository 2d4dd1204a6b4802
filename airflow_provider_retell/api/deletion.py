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

    :raises NotFoundError: for 422, which can also be a refusal, and for a response without Retell's reason.
    """
    try:
        yield request.with_parser(no_result)
    except NotFoundError as error:
        if error.status != 404 or not error.detail:
            raise
        log.info("Retell does not know %s any more", request.subject)
