"""The emulator as one object: its options, its state and its server."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from airflow_provider_retell.emulator.agents.objects import AgentObjects
from airflow_provider_retell.emulator.calls.objects import CallObjects
from airflow_provider_retell.emulator.chats.objects import ChatObjects
from airflow_provider_retell.emulator.contacts.objects import ContactObjects
from airflow_provider_retell.emulator.knowledge_bases.objects import KnowledgeBaseObjects
from airflow_provider_retell.emulator.options import Options
from airflow_provider_retell.emulator.organization.api_keys import ApiKey
from airflow_provider_retell.emulator.phone_numbers.objects import PhoneNumberObjects
from airflow_provider_retell.emulator.rate_limits import DEFAULT_QUOTAS, Limit
from airflow_provider_retell.emulator.server import Server
from airflow_provider_retell.emulator.simulations.objects import SimulationObjects
from airflow_provider_retell.emulator.state import DEFAULT_ORGANIZATION, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

    from airflow_provider_retell.emulator.clock import Clock
    from airflow_provider_retell.emulator.faults import Faults
    from airflow_provider_retell.emulator.organization.organization import Organization
    from airflow_provider_retell.emulator.recorder import RecordedRequest
    from airflow_provider_retell.emulator.webhooks import WebhookDelivery

P = ParamSpec("P")


def _keywords_of(
    options: Callable[P, Options],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, P], None]]:
    """Give an ``__init__`` the parameters of *options*, for type checkers, editors and the documentation."""

    def decorate(init: Callable[..., None]) -> Callable[Concatenate[Any, P], None]:
        this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        signature = inspect.signature(options)
        init.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[this, *signature.parameters.values()]
        )
        return init

    return decorate


class Emulator(
    AgentObjects,
    CallObjects,
    ChatObjects,
    ContactObjects,
    KnowledgeBaseObjects,
    PhoneNumberObjects,
    SimulationObjects,
):
    """Retell's REST API on localhost.

    Use it as a context manager::

        with Emulator(api_key="key_test", custom_attributes=("attr_tier",)) as emulator:
            emulator.add_call(call_id="call_1", metadata={"plan": "pro"})
            ...  # send requests to emulator.url with emulator.api_key
            assert emulator.calls["call_1"]["metadata"] == {"plan": "basic"}

    The arguments are the fields of :class:`~airflow_provider_retell.emulator.Options`. The server runs in its
    own thread with its own event loop, so it works in synchronous and asynchronous tests. All methods may be
    called from any thread. The objects (``calls``, ``agents`` ...) and the methods that add or edit them belong to
    the default organization; ``requests`` has the requests of all organizations.
    """

    @_keywords_of(Options)
    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        """The options, some of which may be assigned while the emulator runs."""
        self._state = State(self.options)
        self._server = Server(self._state)

    def __repr__(self) -> str:
        return f"<Emulator {self._server.url or 'not running'}>"

    # -- the server

    def start(self) -> Emulator:
        """Start the server and return the emulator as soon as it answers requests.

        :raises OSError: if the port is in use.
        :raises RuntimeError: if it is running already.
        """
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop the server within about a second, even if requests hang.

        The state remains readable, and the emulator can start again. Stopping twice is allowed.
        """
        self._server.stop()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, such as ``http://127.0.0.1:8787``. RuntimeError if the emulator is not running."""
        url = self._server.url
        if url is None:
            raise RuntimeError("the emulator is not running: call start() or use it in a with statement")
        return url

    # -- the state

    @property
    def api_key(self) -> str:
        """The full-access key of the default organization."""
        return self.options.api_key

    @property
    def clock(self) -> Clock:
        """The clock that calls follow."""
        return self.options.clock

    @property
    def organization(self) -> Organization:
        """The default organization."""
        return self._state.default

    @property
    def _owner(self) -> Organization:
        return self.organization

    @property
    def faults(self) -> Faults:
        """The faults; add one with ``faults.add``."""
        return self._state.faults

    @property
    def requests(self) -> list[RecordedRequest]:
        """The recorded requests of all organizations, in order of arrival (see ``record_requests``)."""
        return self._state.recorder.requests()

    def count(
        self, route: str | None = None, *, status: int | None = None, organization: str | None = None
    ) -> int:
        """Return the number of requests that match all given arguments, recorded or not.

        :param route: the name of an endpoint, such as "update-call".
        :param status: the status code of the response.
        :param organization: the name of the key's organization.
        """
        return self._state.recorder.count(route, status, organization)

    def clear_requests(self) -> None:
        """Forget all requests and counts."""
        self._state.recorder.clear()

    def add_organization(
        self,
        name: str,
        *,
        api_key: str | None = None,
        custom_attributes: Collection[str] = (),
        quotas: Mapping[str, Limit | None] | None = DEFAULT_QUOTAS,
        concurrency: int = 20,
    ) -> Organization:
        """Add an organization with its own objects, quotas, attributes and concurrency, and return it.

        :param name: its name.
        :param api_key: its full-access key. Default: random, see ``Organization.api_key``.
        :param custom_attributes: the ids of its custom attributes.
        :param quotas: as in :class:`~airflow_provider_retell.emulator.Options`.
        :param concurrency: its limit of live calls.
        """
        return self._state.add_organization(
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
        """Add an API key to an organization.

        :param key: the key.
        :param permissions: its level by group, such as ``{"history": "read", "call": "edit"}``; the level of
            other groups is "none". Default: full access.
        :param organization: the name of the organization.
        :param api_key_info: False to answer its requests of /get-api-key-info with 403.
        :param name: its display name.
        :raises ValueError: for a key that exists, an unknown organization or an unknown permission.
        """
        owner = self._state.organization(organization)
        self._state.add_key(ApiKey(key, owner, permissions, api_key_info, name))

    def revoke_key(self, key: str) -> None:
        """Refuse an API key from now on; ValueError if it does not exist."""
        self._state.remove_key(key)

    def reset(self) -> None:
        """Clear objects, schedules, charges, used quota, faults and requests; keep keys and options."""
        self._state.reset()

    # -- webhooks

    @property
    def webhooks(self) -> list[WebhookDelivery]:
        """The webhook events so far, oldest first, of all organizations; see ``webhook_url``."""
        return self._state.webhooks.deliveries

    def wait_for_webhooks(self, timeout: float = 30.0) -> None:
        """Wait until all webhook events are delivered or given up.

        :param timeout: seconds to wait.
        :raises TimeoutError: if some are not by then.
        """
        if not self._state.webhooks.wait(timeout):
            raise TimeoutError(f"some webhook events were not delivered within {timeout:g} s")
