"""The report of a run: a file with one line of JSON per row."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellInputError

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.outcome import Result


def check_suffix(path: str) -> None:
    """Raise :class:`RetellInputError` if a report cannot have this name."""
    if not path.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        raise RetellInputError(
            f"report_path must end in .jsonl or .ndjson, optionally followed by .gz, not {path!r}"
        )


class Report:
    """A JSONL file on any storage of Airflow's ``ObjectStoragePath``. All methods block.

    A local file can be read while it grows. An object store has the file when the context manager exits.

    :param path: the path, as :func:`check_suffix` allows it; None writes nothing.
    :param conn_id: the Airflow connection of the storage. Default: the storage's default connection.
    """

    def __init__(self, path: str | None, conn_id: str | None = None) -> None:
        self.path = path
        self._conn_id = conn_id
        self._file: Any = None
        self._open = ExitStack()

    def check(self, inputs: Iterable[str]) -> None:
        """Raise :class:`RetellInputError` if the path has another suffix or is one of the files *inputs*."""
        if self.path is None:
            return
        check_suffix(self.path)
        if _location(self.path) in map(_location, inputs):
            raise RetellInputError(
                f"report_path must not be a file that the rows are read from. Use another path than {self.path}"
            )

    def __enter__(self) -> Report:
        """Create the file, so that a path without write access fails the run before it begins."""
        if self.path is not None:
            from airflow_provider_retell._compat import storage_path

            path = storage_path(self.path, self._conn_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
            self._open.callback(self._file.close)
            if self.path.lower().endswith(".gz"):
                self._file = gzip.GzipFile(fileobj=self._file, mode="wb")
                self._open.callback(self._file.close)
        return self

    def write(self, results: Iterable[Result]) -> None:
        """Append a line for each of *results*."""
        if self._file is not None:
            self._file.write("".join(json.dumps(result.line()) + "\n" for result in results).encode())
            self._file.flush()

    def __exit__(self, *error: object) -> None:
        self._file = None
        self._open.__exit__(*error)  # type: ignore[arg-type]


def _location(path: str) -> str:
    scheme, _, rest = path.rpartition("://")
    # A URL may have its Airflow connection before an '@'.
    return os.path.realpath(rest) if scheme in ("", "file") else f"{scheme}://{rest.rpartition('@')[2]}"
