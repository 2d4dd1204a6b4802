"""A secrets backend that is down at times: lookups of the connection fail."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from airflow_provider_retell._compat import AirflowNotFoundException
from airflow_provider_retell.hooks.retell import RetellHook


@pytest.fixture
def failing_lookups(mocker: Any) -> set[int]:
    """The numbers of the lookups of the connection, from 1, that fail."""
    failing: set[int] = set()
    numbers = itertools.count(1)
    get_connection = RetellHook.get_connection

    def look_up(conn_id: str) -> Any:
        if next(numbers) in failing:
            raise AirflowNotFoundException("The conn_id `retell_default` isn't defined")
        return get_connection(conn_id)

    mocker.patch.object(RetellHook, "get_connection", staticmethod(look_up))
    return failing
