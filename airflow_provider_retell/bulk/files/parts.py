"""The files that a path means: one file, the files that match a pattern, or the parts in a folder."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_retell.bulk.errors import SourceError
from airflow_provider_retell.bulk.files.formats import format_of
from airflow_provider_retell.common.folders import matches
from airflow_provider_retell.common.paths import safe_path

_WEB = ("http://", "https://")
# Folders of table formats, whose older files are not part of the table any more.
_TABLES = {"_delta_log": "Delta", ".hoodie": "Hudi", "metadata": "Iceberg"}


def is_pattern(path: str) -> bool:
    """Return True if *path* is a pattern. Only ``*`` has a meaning, since names may contain the other characters."""
    return "*" in path and not path.lower().startswith(_WEB)


def files_of(path: str, conn_id: str | None) -> list[Any]:
    """Return the files, sorted by path.

    :raises SourceError: if no file matches, or a folder has other content than parts of one format.
    :raises RetellError: if a folder cannot be read.
    """
    from airflow_provider_retell._compat.services import storage_path

    if is_pattern(path):
        return _matches(path, conn_id)
    location = storage_path(path, conn_id)
    # A storage of web pages would download the file to find out.
    if path.endswith("/") or (not path.lower().startswith(_WEB) and location.is_dir()):
        return _parts(location, safe_path(path))
    return [location]


def covers(path: str, other: str) -> bool:
    """Return True if *other* is *path*, matches it, or is below it. Both are absolute."""
    wanted = re.escape(path.rstrip("/")).replace(r"\*", ".*")
    return re.fullmatch(f"{wanted}(/.*)?", other) is not None


def _matches(path: str, conn_id: str | None) -> list[Any]:
    files = [
        file
        for match in matches(path, conn_id)
        for file in (_parts(match, safe_path(str(match))) if match.is_dir() else [match])
    ]
    if not files:
        raise SourceError("no file matches the pattern")
    return files


def _parts(folder: Any, shown: str) -> list[Any]:
    try:
        content = sorted(folder.iterdir(), key=str)
    except (FileNotFoundError, NotADirectoryError):
        content = []
    names = {item.name for item in content}
    for name, table in _TABLES.items():
        if name in names:
            raise SourceError(
                f"{shown} is a table of {table}, whose files include older versions. Read it with SqlRows"
            )
    if "_temporary" in names:
        raise SourceError(
            f"the folder {shown} is incomplete: the job that writes it has left _temporary there"
        )
    parts = [item for item in content if item.name and not item.name.startswith(("_", "."))]
    for part in parts:
        if part.is_dir():
            raise SourceError(
                f"the folder {shown} has folders in it. Use a pattern, for example day=*/*.parquet"
            )
    formats = {format_of(part.name) for part in parts}
    if not parts:
        raise SourceError(f"the folder {shown} has no files")
    if len(formats) > 1 or None in formats:
        raise SourceError(
            f"the folder {shown} must have files of one format only. Use a pattern to select some, for example *.csv"
        )
    return parts
