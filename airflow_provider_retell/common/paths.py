"""Paths of files on any storage, without the secrets that a URL can contain."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_retell.api.errors import RetellError, RetellInputError

# Names of local files can contain any character.
_URL = re.compile(r"(?!file:|local:)([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)([^?]*)(.*)", re.DOTALL)
# A name alone before the '@' is the storage's Airflow connection, except in a web address.
_WEB = frozenset({"http", "https", "ftp", "webdav", "webdavs", "dav", "davs"})


def safe_path(path: str) -> str:
    """Return *path* for logs and messages: a URL without its query, and without a user name and password.

    The query of a presigned URL is as good as a password.
    """
    url = _URL.fullmatch(path)
    if url is None:
        return path
    scheme, host, rest, query = url.groups()
    # The secret key of a cloud account often contains a slash.
    credentials, at, after = path.partition("://")[2].rpartition("@")
    first_part = credentials.partition("/")[0].partition(":")[2]
    if at and "/" in credentials and first_part and not first_part.isdigit():
        return safe_path(f"{scheme}://{after}").replace("://", "://***@", 1)
    user, at, host = host.rpartition("@")
    if at and (":" in user or scheme.lower() in _WEB):
        user = "***"
    return f"{scheme}://{user}{at}{host}{rest}{'?***' if query else ''}"


def file_name(path: str) -> str:
    """Return *path* without the query of a URL, in lower case, to read its suffix."""
    url = _URL.fullmatch(path)
    return (url[3] if url else path).lower()


def check_no_secrets(name: str, path: str) -> None:
    """Raise :class:`RetellInputError` if *path* is a URL with a user name and password."""
    shown = safe_path(path)
    if "://***@" in shown:
        raise RetellInputError(
            f"{name} must not contain a user name or password. Put them into an Airflow connection, and name the "
            f"connection in the parameter for it. The path is {shown}"
        )


def storage_fault(error: Exception) -> str:
    """Return the type of a storage's error and the meaning of its number. Its own text could have private data."""
    number = error.errno if isinstance(error, OSError) else None
    name = type(error).__name__
    return f"{name}: {os.strerror(number)}" if isinstance(number, int) else name


@contextmanager
def secrets_hidden(path: str) -> Iterator[None]:
    """Replace an error of the storage that may quote the secrets of *path*."""
    try:
        yield
    except RetellError:
        raise
    except Exception as error:
        shown = safe_path(path)
        if shown == path:
            raise
        hidden = RetellError(
            f"The storage failed with {type(error).__name__} at {shown}. Check the path, and the connection and "
            "permissions of the storage"
        )
    else:
        return
    raise hidden  # not in the except clause, so that the original error is not logged with it
