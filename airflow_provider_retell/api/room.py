"""Room for more calls: how many the organization may have at once, less those that go on."""

from __future__ import annotations

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.errors import WaitFailedError
from airflow_provider_retell.api.models import Concurrency
from airflow_provider_retell.api.request import Procedure


def room_for(calls: int) -> Procedure[int]:
    """Return how many more outbound calls can be placed now.

    :raises WaitFailedError: if *calls* are more than the organization may have at all.
    """
    now: Concurrency = yield endpoints.get_concurrency()
    most = now.concurrency_limit - (now.reserved_inbound_concurrency or 0)
    if calls > most:
        raise WaitFailedError(
            f"There is never room for {calls} calls: the organization may have {most} outbound calls at once. Place "
            "fewer at a time, or have Retell raise the limit"
        )
    return now.room
