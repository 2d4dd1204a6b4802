"""The client of Airflow's REST API. The tests of the webhook and of the event trigger cover the rest of it."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from airflow.models.connection import Connection

from airflow_provider_retell.hooks.airflow_api import AirflowApiError, AssetEvents, _url


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "http://webserver:8080"}, "http://webserver:8080"),
        ({"host": "https://airflow.example.com/a/"}, "https://airflow.example.com/a"),
        ({"host": "https://airflow.example.com/a", "port": 8443}, "https://airflow.example.com:8443/a"),
        ({"host": "https://airflow.example.com:1/a", "port": 2}, "https://airflow.example.com:1/a"),
        ({"host": "airflow.example.com"}, "https://airflow.example.com"),
        ({"host": "airflow.example.com", "schema": "http", "port": 80}, "http://airflow.example.com:80"),
        ({"host": "localhost", "port": 8080}, "http://localhost:8080"),
        ({"uri": "https://user:secret@airflow.example.com/"}, "https://airflow.example.com"),
        ({"uri": "http://user:secret@[::1]:8080/"}, "http://[::1]:8080"),
    ],
)
def test_url_uses_https_unless_the_connection_says_http_or_localhost(
    fields: dict[str, Any], url: str
) -> None:
    assert (
        _url(Connection(conn_id="c", **({"conn_type": "http", **fields} if "uri" not in fields else fields)))
        == url
    )


def test_closed_port_is_reported_with_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        fields = {"conn_type": "http", "host": url, "password": "token_1"}
        monkeypatch.setenv("AIRFLOW_CONN_THIS", json.dumps(fields))
        with pytest.raises(AirflowApiError, match="check the host of connection 'this'") as error:
            asyncio.run(AssetEvents("this", "calls").add({}))
    assert url in str(error.value)


def test_a_password_in_the_host_is_rejected_and_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"conn_type": "http", "host": "http://admin:SECRET@127.0.0.1:1"}
    monkeypatch.setenv("AIRFLOW_CONN_THIS", json.dumps(fields))
    with pytest.raises(AirflowApiError, match="Set login and password instead") as error:
        asyncio.run(AssetEvents("this", "calls").add({}))
    assert "SECRET" not in str(error.value)
