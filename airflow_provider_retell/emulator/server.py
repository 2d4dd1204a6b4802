"""The emulator as one object: its options, its state, and a server in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from airflow_provider_retell.emulator.app import App
from airflow_provider_retell.emulator.options import Options
from airflow_provider_retell.emulator.organization import ApiKey, Organization
from airflow_provider_retell.emulator.quota import DEFAULT_QUOTAS, Limit
from airflow_provider_retell.emulator.world import DEFAULT_ORGANIZATION, World

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import TracebackType

    from airflow_provider_retell.emulator.faults import Faults
    from airflow_provider_retell.emulator.recorder import RecordedRequest
    from airflow_provider_retell.emulator.vocabulary import Call

_SHUTDOWN_SECONDS = 0.5


class Emulator(Options):
    """Retell's REST API on localhost.

    Use it as a context manager::

        with Emulator(api_key="key_test", custom_attributes=("attr_tier",)) as emulator:
            emulator.add_call(call_id="call_1", metadata={"plan": "pro"})
            ...  # talk to emulator.url with emulator.api_key
            assert emulator.calls["call_1"]["metadata"] == {"plan": "basic"}

    The arguments are the fields of :class:`~airflow_provider_retell.emulator.Options`. The server runs in a
    thread of its own with its own event loop, so it serves synchronous and asynchronous tests alike. All
    methods may be called from any thread. ``calls``, ``requests``, ``placed`` and ``reruns`` speak of the
    default organization, ``requests`` of all.
    """

    def __post_init__(self) -> None:
        """Build the state; the server starts with ``start`` or a with statement."""
        super().__post_init__()
        self._world = World(self)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._address: tuple[str, int] | None = None

    # -- the server

    def start(self) -> Emulator:
        """Bind and serve; returns when requests are answered. OSError if the port is taken."""
        if self._thread is not None:
            raise RuntimeError("the emulator runs already")
        listening = _bind(self.host, self.port)
        self._address = listening.getsockname()[:2]
        started = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._serve(listening, started))
            except BaseException as error:
                failures.append(error)
            finally:
                listening.close()
                started.set()

        self._thread = threading.Thread(target=run, name="retell-emulator", daemon=True)
        self._thread.start()
        started.wait()
        if failures:
            self._thread.join()
            self._thread = self._address = None
            raise failures[0]
        return self

    async def _serve(self, listening: socket.socket, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = web.Server(App(self._world, self._stopping), access_log=None, lingering_time=0)
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.SockSite(runner, listening, backlog=1024).start()
            started.set()
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    def stop(self) -> None:
        """Stop serving, within a second or so, whatever hangs.

        The state stays readable. Stopping twice is fine.
        """
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()
        self._address = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, such as ``http://127.0.0.1:8787``. RuntimeError while it does not run."""
        if self._address is None:
            raise RuntimeError("the emulator does not run; start() it or use it in a with statement")
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    # -- the state

    @property
    def organization(self) -> Organization:
        """The default organization."""
        return self._world.default

    @property
    def calls(self) -> dict[str, Call]:
        """The calls of the default organization, by id, live: what you change is what the server serves."""
        return self._world.default.calls

    @property
    def placed(self) -> list[Call]:
        """The calls that were really placed in the default organization, oldest first."""
        self._world.default.catch_up()
        return self._world.default.placed

    @property
    def reruns(self) -> int:
        """How many analyses of the default organization were charged again."""
        return self._world.default.reruns

    @property
    def faults(self) -> Faults:
        """What goes wrong; see ``Faults.add``."""
        return self._world.faults

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, of every organization, in order of arrival (see ``record_requests``)."""
        return self._world.recorder.requests()

    def count(
        self, route: str | None = None, *, status: int | None = None, organization: str | None = None
    ) -> int:
        """Return how many requests there were; None narrows nothing.

        ``route``: an endpoint's name such as "update-call". ``status``: what they were answered with.
        ``organization``: the name of their key's organization. Counts whether requests are recorded or not.
        """
        return self._world.recorder.count(route, status, organization)

    def clear_requests(self) -> None:
        """Forget requests and counts."""
        self._world.recorder.clear()

    def add_call(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Call:
        """Add a call to the default organization; see ``Organization.add_call``."""
        return self._world.default.add_call(progress=progress, minimal=minimal, **fields)

    def add_calls(self, call_ids: Iterable[str], *, minimal: bool = True, **fields: Any) -> None:
        """Add many calls to the default organization; see ``Organization.add_calls``."""
        self._world.default.add_calls(call_ids, minimal=minimal, **fields)

    def add_organization(
        self,
        name: str,
        *,
        api_key: str | None = None,
        custom_attributes: Collection[str] = (),
        quotas: Mapping[str, Limit | None] | None = DEFAULT_QUOTAS,
        concurrency: int = 20,
    ) -> Organization:
        """Add an organization with its own calls, quotas, attributes and concurrency.

        It has a full-access key, random unless given (see its ``api_key``).
        """
        return self._world.add_organization(
            name,
            api_key=api_key,
            custom_attributes=custom_attributes,
            quotas=quotas,
            concurrency=concurrency,
        )

    def add_key(
        self,
        key: str,
        permissions: Mapping[str, str] | None = None,
        *,
        organization: str = DEFAULT_ORGANIZATION,
        api_key_info: bool = True,
        name: str | None = None,
    ) -> None:
        """Add a key to an organization.

        ``permissions`` restricts it: ``{"history": "read", "call": "edit"}``; groups left out are "none";
        None: full access. ``api_key_info=False``: /get-api-key-info answers it 403. ``name``: the key's
        display name.
        """
        owner = self._world.organizations[organization]
        self._world.add_key(ApiKey(key, owner, permissions, api_key_info, name))

    def revoke_key(self, key: str) -> None:
        """Refuse a key from now on; KeyError if there is none such."""
        del self._world.keys[key]

    def reset(self) -> None:
        """Forget calls, plans, charges, used quota, faults and requests; keep keys and options."""
        self._world.reset()


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Listening from here on: a client that comes before the loop runs waits instead of being refused.
        listening.listen(1024)
    except BaseException:
        listening.close()
        raise
    return listening
