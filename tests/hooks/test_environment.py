"""Both hooks use the proxies and certificates of the environment, and nothing else of it."""

from __future__ import annotations

import select
import socket
import ssl
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import RetellConfigError, RetellConnectionError, RetellTimeoutError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.hooks import http

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def one_attempt(make_client: Callable[..., Any]) -> Any:
    """A client that sends each request once."""
    return make_client(retry=RetryLimits(attempts=1))


def tunnel(handler: Any) -> Any:
    """Respond to CONNECT as a proxy does, and forward bytes until one end closes."""
    host, _, port = handler.path.partition(":")
    near = handler.connection
    with socket.create_connection((host, int(port))) as far:
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        while True:
            for ready in select.select([near, far], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    raise ConnectionError
                (far if ready is near else near).sendall(data)


@pytest.fixture
def proxied(
    serve: Any, tls: Any, certificate: Path, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, Any]:
    """The server of ``retell_default``, and a proxy for it. Both record requests."""
    server, proxy = serve(tls=tls), serve(tunnel)
    connect(server.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("https_proxy", proxy.url)
    return server, proxy


def test_proxy_is_used(client: Any, proxied: Any, key: str) -> None:
    server, proxy = proxied
    assert client.get_call("call_1").call_id == "call_1"
    ((method, target, headers),) = proxy.seen
    assert (method, target) == ("CONNECT", server.url.removeprefix("https://"))
    assert key not in str(headers)
    assert "proxy-authorization" not in headers
    ((_, _, headers),) = server.seen
    assert headers["authorization"] == f"Bearer {key}"


def hang_up(handler: Any) -> Any:
    raise ConnectionError


def test_connection_that_breaks_behind_a_proxy_is_dropped_not_refused(
    one_attempt: Any, serve: Any, tls: Any, proxied: Any, connect: Any
) -> None:
    server = serve(hang_up, tls=tls)
    connect(server.url)
    with pytest.raises(RetellConnectionError) as caught:
        one_attempt.get_call("call_1")
    assert len(server.seen) == 1
    assert caught.value.kind == "dropped"


def test_proxy_for_all_protocols_is_used(client: Any, proxied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server, proxy = proxied
    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv("ALL_PROXY", proxy.url.removeprefix("http://"))  # the scheme is optional
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, 1)


def test_login_of_a_proxy_is_sent_to_the_proxy_only(
    client: Any, proxied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = proxied
    monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "http://user:secret@"))
    client.get_call("call_1")
    ((_, target, headers),) = proxy.seen
    assert headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert "secret" not in target
    ((_, _, headers),) = server.seen
    assert "proxy-authorization" not in headers


@pytest.mark.parametrize(
    ("no_proxy", "through_proxy"),
    [
        ("localhost", 0),
        ("127.0.0.1,localhost", 0),
        ("*", 0),
        ("host:port", 0),
        ("example.com,127.0.0.2", 1),
    ],
)
def test_only_hosts_in_no_proxy_are_connected_directly(
    client: Any, proxied: Any, monkeypatch: pytest.MonkeyPatch, no_proxy: str, through_proxy: int
) -> None:
    server, proxy = proxied
    own = no_proxy.replace("host:port", server.url.removeprefix("https://"))
    monkeypatch.setenv("NO_PROXY", own)
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, through_proxy)


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_local_http_server_is_connected_without_a_proxy(
    client: Any, serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    server, proxy = serve(), serve()
    connect(server.url)
    monkeypatch.setenv(variable, proxy.url)
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, 0)


def test_proxy_of_https_does_not_see_the_api_key(
    one_attempt: Any, serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    proxy = serve((403, {}, b""))
    connect("https://api.example.com")
    monkeypatch.setenv("https_proxy", proxy.url)
    with pytest.raises(RetellConnectionError) as caught:
        one_attempt.get_call("call_1")
    ((method, target, headers),) = proxy.seen
    assert (method, target) == ("CONNECT", "api.example.com:443")
    assert key not in str(headers)
    assert caught.value.kind in ("refused", "dropped")


@pytest.mark.usefixtures("whole_log")
def test_error_of_a_proxy_that_is_down_mentions_the_proxy_without_its_login(
    one_attempt: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        connect("https://api.example.com")
        monkeypatch.setenv("https_proxy", f"http://user:pr1vate@127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(RetellConnectionError, match="Nothing answers there: .* the proxy") as caught:
            one_attempt.get_call("call_1")
    assert caught.value.kind == "refused"
    assert "pr1vate" not in str(caught.value) + caplog.text


def test_proxy_that_does_not_respond_is_a_timeout(
    one_attempt: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts
        connect("https://api.example.com", timeout=0.2, connect_timeout=0.2)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RetellTimeoutError):
            one_attempt.get_call("call_1")


def test_socks_proxy_is_rejected(one_attempt: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connect("https://api.example.com")
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(
        RetellConfigError, match="names a socks5 proxy: only http and https proxies are supported"
    ):
        one_attempt.get_call("call_1")


def test_proxy_of_https_is_not_used_for_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    assert http.proxy_for("https://api.example.com") == "http://proxy:1"
    assert http.proxy_for("http://localhost") is None


def test_netrc_file_does_not_replace_the_api_key(
    client: Any, serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str
) -> None:
    server = serve()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password pr1vate\ndefault login other password pr1vate\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    connect(server.url)
    client.get_call("call_1")
    ((_, _, headers),) = server.seen
    assert headers["authorization"] == f"Bearer {key}"


def test_cookies_are_not_sent_back(client: Any, serve: Any, reply: Any, connect: Any) -> None:
    body = {"call_id": "call_1", "call_status": "ended"}
    server = serve(reply(200, body, **{"Set-Cookie": "session=1; Path=/"}))
    connect(server.url)
    client.get_call("call_1")
    client.get_call("call_1")
    assert len(server.seen) == 2
    assert all("cookie" not in headers for _, _, headers in server.seen)


# -- certificates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_the_environment_are_trusted(
    client: Any,
    serve: Any,
    tls: Any,
    certificate: Path,
    connect: Any,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    connect(serve(tls=tls).url)
    assert client.get_call("call_1").call_id == "call_1"


def test_directory_of_certificates_is_trusted(
    client: Any,
    serve: Any,
    tls: Any,
    certificate: Path,
    connect: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "ca.pem").write_bytes((certificate.parent / "cert.pem").read_bytes())
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder))
    connect(serve(tls=tls).url)
    assert client.get_call("call_1").call_id == "call_1"


def test_server_with_an_unknown_certificate_is_not_trusted(
    one_attempt: Any, serve: Any, tls: Any, connect: Any
) -> None:
    server = serve(tls=tls)
    connect(server.url)
    with pytest.raises(
        RetellConnectionError, match="The TLS certificate was not accepted: check the host"
    ) as caught:
        one_attempt.get_call("call_1")
    assert caught.value.kind == "tls"
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)
    assert server.seen == []


def test_http_server_at_an_https_url_is_a_tls_error(one_attempt: Any, serve: Any, connect: Any) -> None:
    connect(serve().url.replace("http://", "https://"))
    with pytest.raises(RetellConnectionError) as caught:
        one_attempt.get_call("call_1")
    assert caught.value.kind == "tls"


def test_missing_or_unreadable_certificates_are_a_configuration_error(
    make_client: Callable[..., Any],
    serve: Any,
    connect: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tls: Any,
) -> None:
    connect(serve(tls=tls).url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    with pytest.raises(RetellConfigError, match="REQUESTS_CA_BUNDLE names certificates that do not exist"):
        make_client(retry=RetryLimits(attempts=1)).get_call("call_1")
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(broken))
    with pytest.raises((RetellConfigError, RetellConnectionError)):
        make_client(retry=RetryLimits(attempts=1)).get_call("call_1")


def test_certificates_of_the_http_library_are_the_default(one_attempt: Any, connect: Any) -> None:
    assert http.ca_bundle() is None
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED
    connect("https://localhost")
    if one_attempt.kind == "blocking":
        assert one_attempt.hook.get_conn().verify is True
    else:
        assert one_attempt.hook._session.connector._ssl is True


# -- no connection at all -----------------------------------------------------------------------------------------


def test_closed_port_is_refused(one_attempt: Any, connect: Any) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        connect(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(RetellConnectionError, match="Nothing answers there") as caught:
            one_attempt.get_call("call_1")
    assert caught.value.kind == "refused"


@pytest.mark.parametrize("is_proxy", [False, True])
def test_server_or_proxy_that_accepts_no_connection_is_a_connect_timeout(
    one_attempt: Any, connect: Any, deaf_server: str, monkeypatch: pytest.MonkeyPatch, is_proxy: bool
) -> None:
    connect("https://api.example.com" if is_proxy else deaf_server, connect_timeout=0.2)
    monkeypatch.setenv("https_proxy", deaf_server)
    with pytest.raises(
        RetellTimeoutError, match=r"no connection in time to http\S+ .connect_timeout: 0\.2 s"
    ) as caught:
        one_attempt.get_call("call_1")
    assert caught.value.kind == "connect"
    assert "raise connect_timeout" in str(caught.value)


def test_unknown_host_name_is_a_dns_error(one_attempt: Any, connect: Any) -> None:
    connect("https://retell.invalid")
    with pytest.raises(RetellConnectionError, match="The host name does not resolve") as caught:
        one_attempt.get_call("call_1")
    assert caught.value.kind == "dns"


@pytest.mark.parametrize(
    "host", ["https://a..b", f"https://{'a' * 64}.example", "https://exa mple.com", "https://%zz"]
)
def test_impossible_host_name_is_an_error_of_this_package(one_attempt: Any, connect: Any, host: str) -> None:
    connect(host)
    with pytest.raises((RetellConnectionError, RetellConfigError)):
        one_attempt.get_call("call_1")


def test_connection_that_breaks_before_the_headers_is_dropped(
    one_attempt: Any, serve: Any, connect: Any
) -> None:
    def reset(handler: Any) -> Any:
        handler.connection.shutdown(socket.SHUT_RDWR)
        return 200, {}, b""

    connect(serve(reset).url)
    with pytest.raises(RetellConnectionError, match="broke before the answer was complete") as caught:
        one_attempt.get_call("call_1")
    assert caught.value.kind == "dropped"


def test_response_that_is_not_http_is_a_connection_error(one_attempt: Any, serve: Any, connect: Any) -> None:
    def nonsense(handler: Any) -> Any:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        return 200, {}, b""

    connect(serve(nonsense).url)
    with pytest.raises(RetellConnectionError):
        one_attempt.get_call("call_1")


def test_user_agent_is_complete_without_the_package_apache_airflow(mocker: Any) -> None:
    mocker.patch("importlib.metadata.version", side_effect=metadata.PackageNotFoundError)
    http.user_agent.cache_clear()
    assert "apache-airflow/unknown" in http.common_headers()["User-Agent"]
    http.user_agent.cache_clear()
