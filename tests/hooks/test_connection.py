"""The fields of the Airflow connection, in all formats in which Airflow stores them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_retell._compat import BaseHook
from airflow_provider_retell.api.errors import RetellConfigError
from airflow_provider_retell.api.quota import GENERAL, Rate
from airflow_provider_retell.hooks.connection import RETELL_URL, Settings, read_connection
from airflow_provider_retell.hooks.retell import RetellHook

try:
    from airflow.sdk import Connection
except ImportError:  # 2.11
    from airflow.models import Connection


def read(**fields: Any) -> Settings:
    given = {"conn_id": "my_retell", "conn_type": "retell", "password": "key_1", **fields}
    return read_connection(Connection(**given))


def rejection(**fields: Any) -> str:
    with pytest.raises(RetellConfigError) as caught:
        read(**fields)
    assert "'my_retell'" in str(caught.value)
    assert caught.value.permanent
    return str(caught.value)


def test_only_the_api_key_is_required() -> None:
    assert read() == Settings(
        api_key="key_1", base_url=RETELL_URL, timeout=60, connect_timeout=10, quota=GENERAL
    )
    assert "key_1" not in repr(read())


@pytest.mark.parametrize("password", ["key_1", " key_1\n", "\tkey_1"])
def test_whitespace_around_the_api_key_is_removed(password: str) -> None:
    assert read(password=password).api_key == "key_1"


@pytest.mark.parametrize(
    ("password", "message"),
    [
        (None, "has no API key"),
        ("", "has no API key"),
        (" \n", "has no API key"),
        ("***", "the mask '***'"),
        ("********", "the mask '***'"),
        ("pr1vate\nkey", "must be printable ASCII"),
        ("pr1vate\r\nX-Header: 1", "must be printable ASCII"),
        ("Bearer pr1vate", "must be printable ASCII"),
        ("pr1vaté", "must be printable ASCII"),
        ("pr1vate\x00", "must be printable ASCII"),
    ],
)
def test_invalid_api_key_is_rejected_without_quoting_it(password: str | None, message: str) -> None:
    text = rejection(password=password)
    assert message in text
    assert "pr1vat" not in text


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        (None, None, RETELL_URL),
        ("", None, RETELL_URL),
        (" ", None, RETELL_URL),
        ("api.example.com", None, "https://api.example.com"),
        ("https://api.example.com", None, "https://api.example.com"),
        ("https://api.example.com/", None, "https://api.example.com"),
        (" https://api.example.com/retell/ ", None, "https://api.example.com/retell"),
        ("https://api.example.com:8443", None, "https://api.example.com:8443"),
        ("https://api.example.com:8443", 9, "https://api.example.com:8443"),
        ("https://api.example.com/retell", 8443, "https://api.example.com:8443/retell"),
        ("api.example.com", 8443, "https://api.example.com:8443"),
        ("HTTPS://api.example.com", None, "HTTPS://api.example.com"),
        ("localhost", 8080, "http://localhost:8080"),
        ("localhost:8080", None, "http://localhost:8080"),
        ("retell.localhost", None, "http://retell.localhost"),
        ("127.0.0.1:8080", None, "http://127.0.0.1:8080"),
        ("127.8.9.1", None, "http://127.8.9.1"),
        ("http://127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("http://[::1]", 8080, "http://[::1]:8080"),
        ("https://localhost", None, "https://localhost"),
        ("10.0.0.1", None, "https://10.0.0.1"),
    ],
)
def test_host_is_a_url_with_optional_scheme_and_port(host: str | None, port: int | None, url: str) -> None:
    assert read(host=host, port=port).base_url == url


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("http://api.retellai.com", "must use https, except on localhost"),
        ("http://10.0.0.1", "must use https, except on localhost"),
        ("http://localhost.example.com", "must use https, except on localhost"),
        ("http://127.0.0.1.example.com", "must use https, except on localhost"),
        ("http://0.0.0.0", "must use https, except on localhost"),
        ("ftp://api.example.com", "must be a URL"),
        ("https://", "must be a URL"),
        ("https:///path", "must be a URL"),
        ("/path", "must be a URL"),
        ("https://a..b", "must be a URL"),
        ("https://pr1vate@api.example.com", "without a user"),
        ("https://user:pr1vate@api.example.com", "without a user"),
        ("https://:pr1vate@api.example.com", "without a user"),
        ("user:pr1vate@localhost", "without a user"),
        ("http://localhost@evil.example.com", "without a user"),
        ("https://api.example.com?key=pr1vate", "a '?'"),
        ("https://api.example.com?", "a '?'"),
        ("https://api.example.com#pr1vate", "a '#'"),
        ("https://api.example.com:port", "must be a URL"),
        ("https://api.example.com:99999", "must be a URL"),
        ("https://[::1", "must be a URL"),
        ("[pr1vate", "must be a URL"),
    ],
)
def test_invalid_host_is_rejected_without_quoting_it(host: str, message: str) -> None:
    text = rejection(host=host)
    assert message in text
    assert "pr1vate" not in text


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (None, {}),
        ("", {}),
        ("{}", {}),
        ({"timeout": None, "connect_timeout": "", "quota": None}, {}),
        ({"timeout": 5}, {"timeout": 5.0}),
        ({"timeout": "5"}, {"timeout": 5.0}),
        ({"timeout": 0.5, "connect_timeout": "1.5"}, {"timeout": 0.5, "connect_timeout": 1.5}),
        ({"timeout": 3600}, {"timeout": 3600.0}),
        ({"quota": "200/10"}, {"quota": Rate(200, 10)}),
        ({"quota": " 5 / 0.5 s"}, {"quota": Rate(5, 0.5)}),
    ],
)
def test_extra_fields_may_be_text_null_or_empty(extra: Any, expected: dict[str, Any]) -> None:
    text = extra if extra is None or isinstance(extra, str) else json.dumps(extra)
    settings = read(extra=text)
    for name in ("timeout", "connect_timeout", "quota"):
        assert getattr(settings, name) == expected.get(name, getattr(Settings("k"), name))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"timeout": 0}, "timeout must be a number of seconds"),
        ({"timeout": -1}, "timeout must be a number of seconds"),
        ({"timeout": 3601}, "timeout must be a number of seconds"),
        ({"timeout": "soon"}, "timeout must be a number of seconds"),
        ({"timeout": "nan"}, "timeout must be a number of seconds"),
        ({"timeout": True}, "timeout must be a number of seconds"),
        ({"timeout": [5]}, "timeout must be a number of seconds"),
        ({"timeout": False}, "timeout must be a number of seconds"),
        ({"connect_timeout": "inf"}, "connect_timeout must be a number of seconds"),
        ({"quota": "many"}, "the quota must have the form '100/10'"),
        ({"quota": 100}, "the quota must have the form '100/10'"),
        ({"quota": "0/10"}, "the quota must have the form '100/10'"),
    ],
)
def test_invalid_extra_field_is_rejected_by_name(extra: dict[str, Any], message: str) -> None:
    assert message in rejection(extra=json.dumps(extra))


@pytest.mark.parametrize("extra", ["[]", '"text"', "5", "{pr1vate"])
def test_extra_fields_that_are_no_object_are_rejected_without_quoting_them(extra: str) -> None:
    # A stored connection. The constructor of Airflow's class may reject such extra fields.
    stored = SimpleNamespace(conn_id="my_retell", password="key_1", host=None, port=None, extra=extra)
    with pytest.raises(
        RetellConfigError, match="connection 'my_retell': the extra fields must be a JSON object"
    ) as caught:
        read_connection(stored)
    assert "pr1vate" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_unknown_extra_fields_are_logged_by_name_without_their_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = read(extra=json.dumps({"time_out": "pr1vate", "api_key": "pr1vate", "timeout": 5}))
    assert settings.timeout == 5
    (record,) = [record for record in caplog.records if record.name.startswith("airflow_provider_retell")]
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "connection 'my_retell': ignoring unknown extra fields: api_key, time_out. "
        "Known fields: connect_timeout, list_quota, quota, timeout"
    )


ENVIRONMENT = {
    "json": json.dumps(
        {
            "conn_type": "retell",
            "password": "key_a/b+c",
            "host": "http://127.0.0.1",
            "port": 8080,
            "extra": {"timeout": 5, "quota": "7/1"},
        }
    ),
    "json with extra as text": json.dumps(
        {
            "conn_type": "retell",
            "password": "key_a/b+c",
            "host": "http://127.0.0.1:8080",
            "extra": json.dumps({"timeout": "5", "quota": "7/1"}),
        }
    ),
    "uri": f"retell://:{quote('key_a/b+c', safe='')}@{quote('http://127.0.0.1:8080', safe='')}/?timeout=5&quota=7%2F1",
    "uri with a port": f"retell://:{quote('key_a/b+c', safe='')}@127.0.0.1:8080/?timeout=5&quota=7%2F1",
    "uri with a protocol": f"retell://http://:{quote('key_a/b+c', safe='')}@127.0.0.1:8080/?timeout=5&quota=7%2F1",
}


@pytest.mark.parametrize("form", ENVIRONMENT)
def test_environment_variable_may_be_json_or_a_uri(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_RETELL", ENVIRONMENT[form])
    settings = RetellHook("my_retell").settings
    assert settings == Settings("key_a/b+c", "http://127.0.0.1:8080", timeout=5, quota=Rate(7, 1))


@pytest.mark.parametrize("host", [None, "https://api.example.com:8443/retell", "localhost:8080"])
def test_uri_that_airflow_writes_has_the_same_settings(
    host: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"conn_type": "retell", "password": "key_1", "host": host, "extra": json.dumps({"timeout": 5})}
    connection = Connection(conn_id="my_retell", **fields)
    monkeypatch.setenv("AIRFLOW_CONN_MY_RETELL", connection.get_uri())
    assert read_connection(BaseHook.get_connection("my_retell")) == read(**fields)


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch, connect: Any) -> None:
    connect("https://api.example.com")
    hook = RetellHook()
    assert hook.settings.base_url == "https://api.example.com"
    monkeypatch.delenv("AIRFLOW_CONN_RETELL_DEFAULT")
    assert hook.settings.base_url == "https://api.example.com"
