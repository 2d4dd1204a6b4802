"""List files and folders on any storage, and fail if a folder cannot be read.

``find()`` and ``glob()`` of file systems leave out folders that they cannot read, so that their files seem to be gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.common.patterns import compile_pattern, may_contain


def find(storage: Any, root: str, pattern: str, *, dot_names: bool = False) -> dict[str, Mapping[str, Any]]:
    """Return the files and folders below *root* that match *pattern*, by their path below *root*, sorted.

    It reads only the folders in which a path can match.

    :param storage: the file system, of fsspec.
    :param root: the folder. If it does not exist, nothing matches.
    :param pattern: a pattern of :func:`~airflow_provider_retell.common.patterns.compile_pattern`.
    :param dot_names: True to let ``*`` match names that begin with a dot.
    :returns: the details of fsspec: ``name``, ``type`` and ``size``.
    :raises RetellError: if a folder cannot be read.
    """
    expression = compile_pattern(pattern, dot_names=dot_names)
    base = root.rstrip("/")
    found: dict[str, Mapping[str, Any]] = {}
    # A listing that the process has read before may be outdated.
    storage.invalidate_cache()
    folders = [root]
    while folders:
        folder = folders.pop()
        for info in _list(storage, folder, is_root=folder == root):
            name = info["name"].rstrip("/")
            # Object storages may list the folder itself as an empty file.
            if not name.startswith(f"{base}/") or name == folder.rstrip("/"):
                continue
            path = name[len(base) + 1 :]
            is_folder = info["type"] == "directory"
            if expression.fullmatch(path) and (is_folder or not info["name"].endswith("/")):
                found[path] = info
            if is_folder and may_contain(pattern, path, dot_names=dot_names):
                folders.append(name)
    return dict(sorted(found.items()))


def matches(path: str, conn_id: str | None) -> list[Any]:
    """Return the files and folders that match *path*, as Airflow's ``ObjectStoragePath``, sorted by path.

    :param path: a local path or a URL with at least one ``*``. No other character has a meaning.
    :param conn_id: the Airflow connection of the storage.
    :raises RetellError: if a folder cannot be read.
    """
    from airflow_provider_retell._compat.services import storage_path

    names = path.split("/")
    first = next(number for number, name in enumerate(names) if "*" in name)
    pattern = re.sub(r"[\[?]", r"[\g<0>]", "/".join(names[first:]))
    root = storage_path("/".join(names[:first]) or ("/" if path.startswith("/") else "."), conn_id)
    found = find(root.fs, str(root.path), pattern, dot_names=True)
    return sorted((root.joinpath(name) for name in found), key=str)


def _list(storage: Any, folder: str, *, is_root: bool) -> list[Mapping[str, Any]]:
    try:
        content: list[Mapping[str, Any]] = storage.ls(folder, detail=True)
    except Exception as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        if is_root and (missing or storage.isfile(folder)):
            return []
        # The type only: messages of storages can have credentials.
        raise RetellError(
            f"The folder {safe_path(folder)} cannot be read ({type(error).__name__}), so its files are unknown. Check "
            "its permissions, and run the task again"
        ) from error
    return content
