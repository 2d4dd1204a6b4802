"""The report of a run: a line of JSON per row, written while the run goes on."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.outcome import Result


class Report:
    """A JSONL file on any storage that Airflow's ``ObjectStoragePath`` reaches. All methods block.

    A local file can be read while it grows; object stores show it when it is closed.

    :param path: where, ``.jsonl`` or ``.ndjson``, compressed if ``.gz`` follows; None writes nothing.
    :param conn_id: the Airflow connection to the storage, if its default will not do.
    """

    def __init__(self, path: str | None, conn_id: str | None = None) -> None:
        self.path = path
        self._conn_id = conn_id
        self._file: Any = None
        self._zipped: Any = None

    def check(self, inputs: Iterable[str]) -> None:
        """Raise :class:`RetellInputError` if the path cannot be meant, or is one of the files *inputs*."""
        if self.path is None:
            return
        if self.path in ("", "None"):
            raise RetellInputError("report_path rendered to nothing: what it was made from had no value")
        if not self.path.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
            raise RetellInputError(
                f"report_path: {self.path} must end in .jsonl or .ndjson, or these with .gz"
            )
        if _place(self.path) in map(_place, inputs):
            raise RetellInputError(
                f"report_path is a file that the rows are read from, {self.path}: give the report another path"
            )

    def open(self) -> None:
        """Start the file anew, so that a path that cannot be written fails the run before it begins."""
        if self.path is None:
            return
        from airflow_provider_retell._compat import storage_path

        path = storage_path(self.path, self._conn_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        if self.path.lower().endswith(".gz"):
            self._zipped = gzip.GzipFile(fileobj=self._file, mode="wb")

    def write(self, results: Iterable[Result]) -> None:
        """Add a line for each of *results*."""
        if self._file is not None:
            file = self._zipped or self._file
            file.write("".join(json.dumps(result.line()) + "\n" for result in results).encode())
            file.flush()

    def close(self) -> None:
        """Finish the file."""
        file, zipped, self._file, self._zipped = self._file, self._zipped, None, None
        if zipped is not None:
            zipped.close()  # this leaves the file itself open
        if file is not None:
            file.close()


def _place(path: str) -> str:
    scheme, _, rest = path.rpartition("://")
    # An address may name its Airflow connection before an '@'.
    return os.path.realpath(rest) if scheme in ("", "file") else f"{scheme}://{rest.rpartition('@')[2]}"
