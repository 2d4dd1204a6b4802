"""The arguments of command lines that need a connection to Retell."""

from __future__ import annotations

import argparse
import os
from types import SimpleNamespace
from typing import Any

from airflow_provider_retell._compat.services import stored_connection
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.hooks.connection import Settings, read_connection
from airflow_provider_retell.hooks.retell import RetellHook


class UsageError(Exception):
    """An error in the arguments, with a message for the user."""


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--conn-id`` and ``--api-key-env``."""
    default = RetellHook.default_conn_name
    parser.add_argument("--conn-id", metavar="ID", help=f"Airflow connection to use (default: {default})")
    parser.add_argument(
        "--api-key-env", metavar="NAME", help="environment variable with an API key, instead of a connection"
    )


def settings_from(args: argparse.Namespace, *, host: str | None = None) -> Settings:
    """Return the settings of the connection that the arguments name.

    :param host: another server than the connection's.
    :raises UsageError: if there is no such connection or key.
    """
    if args.conn_id and args.api_key_env:
        raise UsageError("--conn-id and --api-key-env exclude each other: give one of them")
    if args.api_key_env:
        password = environment_variable(args.api_key_env)
        connection: Any = SimpleNamespace(
            conn_id="--api-key-env", password=password, host=None, port=None, extra=None
        )
    else:
        conn_id = args.conn_id or RetellHook.default_conn_name
        try:
            connection = stored_connection(conn_id)
        except Exception as error:
            # Airflow's text may quote the connection.
            raise UsageError(f"cannot read the connection {conn_id!r} ({type(error).__name__})") from None
    fields = {name: getattr(connection, name) for name in ("conn_id", "password", "host", "port", "extra")}
    if host:
        fields |= {"host": host, "port": None}
    chosen: Any = SimpleNamespace(**fields)
    try:
        return read_connection(chosen)
    except RetellError as error:
        raise UsageError(str(error)) from None


def environment_variable(name: str) -> str:
    """Return the value of a variable, which must not be empty.

    :raises UsageError: if it is not set.
    """
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    return value
