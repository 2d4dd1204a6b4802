"""Requests, routes, and the router that finds the route of a request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from airflow_provider_retell.emulator.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_retell.emulator.multipart import Form
    from airflow_provider_retell.emulator.organization.api_keys import ApiKey
    from airflow_provider_retell.emulator.organization.organization import Organization
    from airflow_provider_retell.emulator.schema import Schema

Endpoint = Callable[["Organization", "Request"], Response]
"""A function that acts on the organization of the request's key and returns the response."""


@dataclass(frozen=True)
class Route:
    """The method and path of an endpoint, and its demands on the key, the quota and the body.

    :param name: Retell's name of the endpoint, such as "update-call".
    :param method: the HTTP method.
    :param path: with ids in braces: ``/v2/update-call/{call_id}``.
    :param endpoint: the function to call.
    :param permission: the group and level that a restricted key needs; None to admit any key. The assignment
        of endpoints to groups is our reading of Retell's description of the groups.
    :param limiter: the quota that it counts against.
    :param schema: the schema of the body; None to ignore the body.
    :param body_optional: an empty body is accepted as ``{}``.
    :param from_form: the endpoint takes a form; this function returns its JSON value.
    :param is_public: the endpoint needs no key and has no quota. The id ``owner`` in its path names the organization.
    """

    name: str
    method: str
    path: str
    endpoint: Endpoint
    permission: tuple[str, str] | None = None
    limiter: str = "general"
    schema: Schema | None = None
    body_optional: bool = False
    from_form: Callable[[Form], Any] | None = None
    is_public: bool = False


class Routes(list[Route]):
    """The routes to the endpoints of a module."""

    def add(
        self,
        method: str,
        path: str,
        permission: tuple[str, str] | None = None,
        schema: Schema | None = None,
        *,
        name: str = "",
        limiter: str = "",
        **details: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that adds the route of an endpoint; see :class:`Route`.

        The body is optional for names that begin with "list-".

        :param name: Default: the last part of the path before the ids.
        :param limiter: Default: "list" for names that begin with "list-", "general" for others.
        """
        name = name or path.partition("/{")[0].rpartition("/")[2]
        is_list = name.startswith("list-")
        limiter = limiter or ("list" if is_list else "general")

        def decorate(endpoint: Endpoint) -> Endpoint:
            self.append(Route(name, method, path, endpoint, permission, limiter, schema, is_list, **details))
            return endpoint

        return decorate


@dataclass(slots=True)
class Request:
    """A request on its way to an endpoint.

    :ivar method: the HTTP method.
    :ivar target: the path with its query, as sent.
    :ivar authorization: the Authorization header, or None.
    :ivar body: the parsed JSON, or the form; None if the body is empty, ``dispatch.BAD_JSON`` if it is neither.
    :ivar route: None if there is no such endpoint.
    :ivar ids: the ids in the path, by name.
    :ivar key: the API key of the request; None if it is unknown.
    :ivar range: the Range header, or None.
    """

    method: str
    target: str
    authorization: str | None
    body: Any
    route: Route | None
    ids: dict[str, str] = field(default_factory=dict)
    key: ApiKey | None = None
    range: str | None = None

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def route_name(self) -> str | None:
        """The name of the endpoint, or None."""
        return self.route.name if self.route else None

    @property
    def organization_name(self) -> str | None:
        """The name of the key's organization, or None."""
        return self.key.organization.name if self.key else None


class Router:
    """Finds the route of a request by its method and path.

    :param routes: all routes of the emulator.
    :ivar names: the names of the routes.
    :ivar id_names: the names of the ids that occur in their paths, such as "call_id".
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_prefix: dict[tuple[str, str], list[tuple[Route, list[str]]]] = defaultdict(list)
        names: set[str] = set()
        ids: set[str] = set()
        for route in routes:
            prefix, _, _ = route.path.partition("/{")
            parts = route.path.removeprefix(prefix).split("/")[1:]
            self._by_prefix[route.method, prefix].append((route, parts))
            names.add(route.name)
            ids.update(part[1:-1] for part in parts if part.startswith("{"))
        self.names = frozenset(names)
        self.id_names = frozenset(ids)

    def match(self, method: str, target: str) -> tuple[Route | None, dict[str, str]]:
        """Return the route of a request and the ids in its path, or None and no ids.

        :param target: the path, with its query if there is one.
        """
        segments = target.partition("?")[0].split("/")
        for length in range(len(segments), 1, -1):
            for route, parts in self._by_prefix.get((method, "/".join(segments[:length])), ()):
                ids = _ids(parts, segments[length:])
                if ids is not None:
                    return route, ids
        return None, {}


def _ids(parts: list[str], segments: list[str]) -> dict[str, str] | None:
    """Return the ids that *segments* have where *parts* have braces, or None if they do not match."""
    if len(parts) != len(segments):
        return None
    ids = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{"):
            if not segment:
                return None
            ids[part[1:-1]] = unquote(segment)
        elif part != segment:
            return None
    return ids
