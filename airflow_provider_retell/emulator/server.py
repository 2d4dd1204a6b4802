"""The HTTP server of an emulator, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from aiohttp import web

from airflow_provider_retell.emulator.handler import Handler

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.state import State

_SHUTDOWN_SECONDS = 0.5
_PROGRESS_SECONDS = 0.05


class Server:
    """Serves a state over HTTP, in a thread with its own event loop.

    :param state: the state; its options have the host and the port.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._address: tuple[str, int] | None = None

    def start(self) -> None:
        """Bind the port and serve; return when the server answers requests.

        :raises OSError: if the port is in use.
        :raises RuntimeError: if it is running already.
        """
        if self._thread is not None:
            raise RuntimeError("the emulator is running already")
        listening = _bind(self._state.options.host, self._state.options.port)
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

        self._state.serve_at(self.url)
        self._thread = threading.Thread(target=run, name="retell-emulator", daemon=True)
        self._thread.start()
        started.wait()
        if failures:
            self._thread.join()
            self._thread = self._address = None
            self._state.serve_at(None)
            raise failures[0]

    async def _serve(self, listening: socket.socket, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = web.Server(Handler(self._state, self._stopping), access_log=None, lingering_time=0)
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        background = asyncio.gather(self._state.webhooks.run(), self._progress())
        try:
            await web.SockSite(runner, listening, backlog=1024).start()
            started.set()
            await self._stopping.wait()
        finally:
            background.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await background
            await runner.cleanup()

    async def _progress(self) -> None:
        """Let calls and chats progress without requests, if there is a receiver of their events."""
        while True:
            if self._state.webhooks.url is not None:
                self._state.catch_up()
            await asyncio.sleep(_PROGRESS_SECONDS)

    def stop(self) -> None:
        """Stop within about a second, even if requests hang. Stopping twice is allowed."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()
        self._address = None
        self._state.serve_at(None)

    @property
    def url(self) -> str | None:
        """The base URL, or None if it is not running."""
        if self._address is None:
            return None
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Listen before the event loop runs, so that early clients wait and are not refused.
        listening.listen(1024)
    except BaseException:
        listening.close()
        raise
    return listening
