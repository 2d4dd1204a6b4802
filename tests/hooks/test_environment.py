"""Both hooks take proxies and certificates from the environment, and nothing else."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import RetellConfigError, RetellConnectionError, RetellTimeoutError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.hooks import http
from airflow_provider_retell.hooks.connection import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def impatient(make_client: Callable[..., Any]) -> Any:
    """A client that tries once."""
    return make_client(retry=RetryLimits(attempts=1))


def tunnel(handler: Any) -> Any:
    """Answer CONNECT as a proxy does, and carry bytes until one end closes."""
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
    """A server that ``retell_default`` leads to, and a recording proxy before it."""
    server, proxy = serve(tls=tls), serve(tunnel)
    connect(server.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("https_proxy", proxy.url)
    return server, proxy


def test_a_proxy_is_followed(client: Any, proxied: Any, key: str) -> None:
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


def test_a_connection_that_is_lost_behind_a_proxy_may_have_brought_the_request(
    impatient: Any, serve: Any, tls: Any, proxied: Any, connect: Any
) -> None:
    server = serve(hang_up, tls=tls)
    connect(server.url)
    with pytest.raises(RetellConnectionError) as caught:
        impatient.get_call("call_1")
    assert len(server.seen) == 1
    assert caught.value.kind == "dropped"


def test_a_proxy_for_all_protocols_is_followed(
    client: Any, proxied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = proxied
    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv("ALL_PROXY", proxy.url.removeprefix("http://"))  # without a scheme, as some write it
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, 1)


def test_a_proxy_with_a_login_gets_it_and_the_server_does_not(
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


@pytest.mark.parametrize("no_proxy", ["localhost", "127.0.0.1,localhost", "*", "host:port"])
def test_no_proxy_is_obeyed(
    client: Any, proxied: Any, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    server, proxy = proxied
    own = no_proxy.replace("host:port", server.url.removeprefix("https://"))
    monkeypatch.setenv("NO_PROXY", own)
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, 0)


def test_no_proxy_for_others_changes_nothing(
    client: Any, proxied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = proxied
    monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.2")
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, 1)


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_a_server_on_this_machine_gets_the_key_and_no_proxy_does(
    client: Any, serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    server, proxy = serve(), serve()
    connect(server.url)
    monkeypatch.setenv(variable, proxy.url)
    client.get_call("call_1")
    assert (len(server.seen), len(proxy.seen)) == (1, 0)


def test_https_goes_through_a_tunnel_and_the_proxy_never_sees_the_key(
    impatient: Any, serve: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    proxy = serve((403, {}, b""))
    connect("https://api.example.com")
    monkeypatch.setenv("https_proxy", proxy.url)
    with pytest.raises(RetellConnectionError) as caught:
        impatient.get_call("call_1")
    ((method, target, headers),) = proxy.seen
    assert (method, target) == ("CONNECT", "api.example.com:443")
    assert key not in str(headers)
    assert caught.value.kind in ("refused", "dropped")


def test_a_proxy_that_is_down_is_named_as_a_cause_without_its_login(
    impatient: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        connect("https://api.example.com")
        monkeypatch.setenv("https_proxy", f"http://user:pr1vate@127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(RetellConnectionError, match="Nothing answers there: .* the proxy") as caught:
            impatient.get_call("call_1")
    assert caught.value.kind == "refused"
    assert "pr1vate" not in str(caught.value) + caplog.text


def test_a_proxy_that_never_answers_is_a_timeout(
    make_client: Callable[..., Any], connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(retry=RetryLimits(attempts=1))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts
        connect("https://api.example.com", timeout=0.2, connect_timeout=0.2)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RetellTimeoutError):
            client.get_call("call_1")


def test_a_socks_proxy_is_refused_in_words(
    make_client: Callable[..., Any], connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(retry=RetryLimits(attempts=1))
    connect("https://api.example.com")
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(RetellConfigError, match="names a socks5 proxy: only http and https ones will do"):
        client.get_call("call_1")


def test_the_https_proxy_is_not_taken_for_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    assert http.proxy(Settings("k", "https://api.example.com")) == "http://proxy:1"
    assert http.proxy(Settings("k", "http://localhost")) is None


def test_a_netrc_entry_never_replaces_the_key(
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


def test_cookies_are_not_kept(client: Any, serve: Any, reply: Any, connect: Any) -> None:
    body = {"call_id": "call_1", "call_status": "ended"}
    server = serve(reply(200, body, **{"Set-Cookie": "session=1; Path=/"}))
    connect(server.url)
    client.get_call("call_1")
    client.get_call("call_1")
    assert len(server.seen) == 2
    assert all("cookie" not in headers for _, _, headers in server.seen)


# -- certificates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_certificates_are_trusted(
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


def test_a_folder_of_certificates_is_trusted(
    client: Any,
    serve: Any,
    tls: Any,
    certificate: Path,
    connect: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    import subprocess

    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "ca.pem").write_bytes((certificate.parent / "cert.pem").read_bytes())
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder))
    connect(serve(tls=tls).url)
    assert client.get_call("call_1").call_id == "call_1"


def test_without_them_the_server_is_not_trusted(impatient: Any, serve: Any, tls: Any, connect: Any) -> None:
    server = serve(tls=tls)
    connect(server.url)
    with pytest.raises(RetellConnectionError, match="The TLS certificate was not accepted") as caught:
        impatient.get_call("call_1")
    assert caught.value.kind == "tls"
    assert server.seen == []


def test_a_plain_server_at_a_tls_address_is_a_tls_fault(impatient: Any, serve: Any, connect: Any) -> None:
    connect(serve().url.replace("http://", "https://"))
    with pytest.raises(RetellConnectionError) as caught:
        impatient.get_call("call_1")
    assert caught.value.kind == "tls"


def test_certificates_that_are_missing_or_unreadable_are_a_fault_of_the_set_up(
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


def test_the_default_certificates_are_the_librarys(impatient: Any, connect: Any) -> None:
    assert http.ca_bundle() is None
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED
    connect("https://localhost")
    if impatient.kind == "blocking":
        assert impatient.hook.get_conn().verify is True
    else:
        assert impatient.hook._session.connector._ssl is True


# -- no connection at all -----------------------------------------------------------------------------------------


def test_nothing_listens(impatient: Any, connect: Any) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        connect(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(RetellConnectionError, match="Nothing answers there") as caught:
            impatient.get_call("call_1")
    assert caught.value.kind == "refused"


def test_a_server_that_takes_no_connection(impatient: Any, connect: Any, deaf_server: str) -> None:
    connect(deaf_server, connect_timeout=0.2)
    with pytest.raises(RetellTimeoutError, match=r"no connection in time .connect_timeout: 0\.2 s") as caught:
        impatient.get_call("call_1")
    assert caught.value.kind == "connect"
    assert "raise connect_timeout" in str(caught.value)


def test_a_proxy_that_takes_no_connection(
    impatient: Any, connect: Any, deaf_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect("https://api.example.com", connect_timeout=0.2)
    monkeypatch.setenv("https_proxy", deaf_server)
    with pytest.raises(RetellTimeoutError, match="no connection in time") as caught:
        impatient.get_call("call_1")
    assert caught.value.kind == "connect"


def test_a_name_that_does_not_exist(impatient: Any, connect: Any) -> None:
    connect("https://retell.invalid")
    with pytest.raises(RetellConnectionError, match="The host name does not resolve") as caught:
        impatient.get_call("call_1")
    assert caught.value.kind == "dns"


@pytest.mark.parametrize(
    "host", ["https://a..b", f"https://{'a' * 64}.example", "https://exa mple.com", "https://%zz"]
)
def test_a_name_that_cannot_exist_is_one_of_our_errors(impatient: Any, connect: Any, host: str) -> None:
    connect(host)
    with pytest.raises((RetellConnectionError, RetellConfigError)):
        impatient.get_call("call_1")


def test_a_reset_while_the_headers_come(impatient: Any, serve: Any, connect: Any) -> None:
    def reset(handler: Any) -> Any:
        handler.connection.shutdown(socket.SHUT_RDWR)
        return 200, {}, b""

    connect(serve(reset).url)
    with pytest.raises(RetellConnectionError, match="broke before the answer was complete") as caught:
        impatient.get_call("call_1")
    assert caught.value.kind == "dropped"


def test_an_answer_that_is_not_http(impatient: Any, serve: Any, connect: Any) -> None:
    def nonsense(handler: Any) -> Any:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        return 200, {}, b""

    connect(serve(nonsense).url)
    with pytest.raises(RetellConnectionError):
        impatient.get_call("call_1")


def test_the_user_agent_survives_an_airflow_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    http.user_agent.cache_clear()
    assert "apache-airflow/unknown" in http.headers(Settings("k"))["User-Agent"]
    http.user_agent.cache_clear()
