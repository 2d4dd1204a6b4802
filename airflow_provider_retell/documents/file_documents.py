"""Documents in files."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.common.paths import check_no_secrets
from airflow_provider_retell.documents.documents import Documents, FileEntry

if TYPE_CHECKING:
    from airflow.sdk import XComArg


TEXT_SUFFIXES = (".md", ".markdown", ".rst", ".text", ".txt")
"""The suffixes of files that become texts. They must be in UTF-8."""


class FileDocuments(Documents):
    """The files of a folder, on any storage that Airflow's ``ObjectStoragePath`` supports.

    ::

        from airflow_provider_retell.documents import FileDocuments

        FileDocuments("s3://bucket/handbook", pattern="**/*.md")

    ``.md``, ``.markdown``, ``.rst``, ``.text`` and ``.txt`` files become texts, all others files. The title of a
    document is its path below the folder, for example ``billing/refunds.md``.

    :param path: the folder, a local path or a URL such as ``s3://bucket/handbook``, or a single file (templated).
    :param pattern: the files to take, for example ``**/*.md``; ``**`` matches any number of folders (templated).
        Default: ``**/*``, all files whose path has no name that begins with a dot.
    :param conn_id: the Airflow connection of the storage (templated). Default: the storage's default connection.
    """

    template_fields = ("path", "pattern", "conn_id")

    def __init__(
        self,
        path: str | XComArg,
        pattern: str | XComArg = "**/*",
        conn_id: str | XComArg | None = None,
    ) -> None:
        self.path = path
        self.pattern = pattern
        self.conn_id = conn_id

    def read(self) -> Iterator[FileEntry]:
        """Yield the files in the order of their titles."""
        from airflow_provider_retell.common.folders import find

        root = self._root()
        storage, path = root.fs, str(root.path)
        found = {
            title: info
            for title, info in find(storage, path, str(self.pattern)).items()
            if info["type"] != "directory"
        }
        if not found and storage.isfile(path):
            # A file needs no pattern.
            found = {path.rpartition("/")[2]: storage.info(path)}
        for title, info in found.items():
            yield FileEntry(
                title=title,
                is_text=title.lower().endswith(TEXT_SUFFIXES),
                size=int(info.get("size") or 0),
                open=functools.partial(storage.open, info["name"], "rb"),
            )

    def reads(self, path: str) -> bool:
        """Return True if *path* is below the folder and matches the pattern."""
        from airflow_provider_retell._compat.services import storage_path

        root, other = self._root(), storage_path(path)
        if root.protocol != other.protocol:
            return False
        base = str(root.path).rstrip("/")
        return str(other.path) == base or self._title(str(other.path), base) is not None

    def _root(self) -> Any:
        from airflow_provider_retell._compat.services import storage_path

        check_no_secrets("the path of FileDocuments", str(self.path))
        return storage_path(str(self.path), None if self.conn_id is None else str(self.conn_id))

    def _title(self, name: str, base: str) -> str | None:
        """Return the path of a file below the folder *base*, or None if it does not match the pattern."""
        from airflow_provider_retell.common.patterns import compile_pattern

        if not name.startswith(f"{base}/") or name.endswith("/"):
            return None
        title = name[len(base) + 1 :]
        return title if compile_pattern(str(self.pattern)).fullmatch(title) else None
