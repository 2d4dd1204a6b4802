"""One client for both hooks, and small servers for behavior that the emulator lacks."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import inspect
import json
import socketserver
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "key_private0123456789"


class Client:
    """A blocking or an async hook, which opens when it is first used: ``client.get_call("call_1")``."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.kind = kind
        self._options = options
        self._hook: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def hook(self) -> Any:
        if self._hook is None:
            if self.kind == "blocking":
                self._hook = RetellHook(**self._options)
            else:
                self._loop = asyncio.new_event_loop()
                self._hook = self._loop.run_until_complete(RetellAsyncHook(**self._options).__aenter__())
        return self._hook

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.hook, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if inspect.isawaitable(result):
                return self._loop.run_until_complete(result)
            if inspect.isasyncgen(result):

                async def collect() -> list[Any]:
                    return [item async for item in result]

                return self._loop.run_until_complete(collect())
            return list(result) if inspect.isgenerator(result) else result

        return call

    def close(self) -> None:
        if self._hook is None:
            return
        if self._loop is None:
            self._hook.close()
        else:
            self._loop.run_until_complete(self._hook.__aexit__(None, None, None))
            self._loop.close()


@pytest.fixture(params=["blocking", "async"])
def make_client(request: pytest.FixtureRequest) -> Iterator[Callable[..., Client]]:
    """Create clients of both kinds, one after the other."""
    made: list[Client] = []

    def make(**options: Any) -> Client:
        made.append(Client(request.param, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """A client of ``retell_default``. It opens when it is first used, so the test can still change the connection."""
    return make_client()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define ``retell_default``; keywords are extra fields."""

    def define(
        host: str | None = None, *, password: str | None = KEY, port: int | None = None, **extra: Any
    ) -> None:
        fields = {"conn_type": "retell", "host": host, "password": password, "port": port, "extra": extra}
        given = {name: value for name, value in fields.items() if value is not None}
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(given))

    return define


@pytest.fixture
def emulate(connect: Callable[..., None]) -> Iterator[Callable[..., Emulator]]:
    """Start emulators with options. The last one is the server of ``retell_default``, and has some of each object."""
    with contextlib.ExitStack() as emulators:

        def start(**options: Any) -> Emulator:
            emulator = emulators.enter_context(Emulator(**options))
            connect(emulator.url, password=emulator.api_key)
            emulator.organization.custom_attributes.add("attr_tier")
            emulator.add_call(call_id="call_1", metadata={"plan": "pro"})
            emulator.add_call(call_id="call_2", metadata={})
            emulator.add_call(call_id="call_live", call_status="ongoing")
            emulator.add_chat(chat_id="chat_1", metadata={"plan": "pro"})
            emulator.add_contact("+14155550123", contact_id="contact_1")
            emulator.organization.contact_import_jobs.upload(b"phone\n+14155550123\n", "upload_1")
            emulator.add_chat(chat_id="chat_live", chat_status="ongoing")
            emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1"})
            for _draft in (1, 2):
                emulator.add_agent_version("agent_1")
            flow = {"conversation_flow_id": "conversation_flow_1"}
            emulator.add_agent(agent_id="agent_2", conversation_flow=flow, published=False)
            emulator.add_agent(agent_id="agent_chat", channel="chat", published=False)
            emulator.organization.component_backend.add(conversation_flow_component_id="component_1")
            emulator.add_test_case(agent_id="agent_1", test_case_definition_id="test_case_1", name="Books")
            batch = emulator.add_batch_test(
                {"type": "retell-llm", "llm_id": "llm_1", "version": 0},
                ["test_case_1"],
                test_case_batch_job_id="test_batch_1",
            )
            batch["runs"][0]["test_case_job_id"] = "test_run_1"
            emulator.add_phone_number("+14155550100", nickname="Main line")
            emulator.add_knowledge_base(
                knowledge_base_id="kb_1",
                knowledge_base_sources=[{"source_id": "source_1"}, {"source_id": "source_2"}],
            )
            return emulator

        yield start


@pytest.fixture
def emulator(emulate: Callable[..., Emulator]) -> Emulator:
    """An emulator with default options."""
    return emulate()


@pytest.fixture
def sleeps() -> Iterator[list[float]]:
    """Skip all sleeps of the hooks, and collect their seconds."""
    collected: list[float] = []
    with no_waiting(collected.append):
        yield collected


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Responds with the status, headers and body that ``respond(handler)`` returns.

    ``seen`` has the method, path and headers of every request.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, respond: Callable[[Any], tuple[int, dict[str, str], bytes]], *, tls: Any = None
    ) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (OSError, ValueError):
                    self.close_connection = True

            def handle_request(self) -> None:
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                status, headers, body = respond(self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = handle_request  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self._scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        name = "localhost" if self._scheme == "https" else "127.0.0.1"
        return f"{self._scheme}://{name}:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        pass


def json_reply(status: int, value: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()


CALL = {"call_id": "call_1", "call_status": "ended"}


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that respond with a tuple, or with the tuple that a function returns."""
    servers: list[Server] = []

    def start(response: Any = None, **options: Any) -> Server:
        reply = response if response is not None else json_reply(200, CALL)
        server = Server(reply if callable(reply) else lambda _handler: reply, **options)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a self-signed certificate for localhost and its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost"
    subprocess.run(
        [*command.split(), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    (folder / "both.pem").write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return folder / "both.pem"


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def reply() -> Callable[..., Any]:
    return json_reply


@pytest.fixture
def key() -> str:
    return KEY
