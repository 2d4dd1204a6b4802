"""The report of a run: a file with one line of JSON per row."""

from __future__ import annotations

import gzip
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.errors import RESUME, IncompleteFileError, ReportError, SourceError
from airflow_provider_retell.common.paths import file_name, safe_path, secrets_hidden, storage_fault

if TYPE_CHECKING:
    from types import TracebackType

    from airflow_provider_retell.bulk.outcome import Outcome, Result
    from airflow_provider_retell.bulk.task_tries import TryId

log = logging.getLogger(__name__)


class Report:
    """A JSONL file on any storage of Airflow's ``ObjectStoragePath``. All methods block.

    A local file can be read while it grows. An object store has the file when the context manager exits.

    The lines of earlier tries of the same task run stay in the file. A report of another DAG run is replaced.

    :param path: the path; None writes nothing.
    :param conn_id: the Airflow connection of the storage. Default: the storage's default connection.
    :param task_try: the try that writes the report. None replaces an earlier report.
    :ivar failure: the reason why the report could not be written, with the next step; otherwise an empty text.
    """

    def __init__(self, path: str | None, conn_id: str | None = None, task_try: TryId | None = None) -> None:
        from airflow_provider_retell.bulk.task_tries import TaskRunCounts

        self._path = path
        self._conn_id = conn_id
        self._try = task_try
        self._counts = TaskRunCounts()
        self.failure = ""
        self._file: Any = None
        self._open = ExitStack()

    @property
    def path(self) -> str | None:
        """The path for messages and the manifest: without secrets."""
        return None if self._path is None else safe_path(self._path)

    def check(self, inputs: Iterable[str]) -> None:
        """Raise :class:`RetellInputError` if the path is or matches one of *inputs*."""
        from airflow_provider_retell.bulk.files.parts import covers

        if self._path is not None and any(covers(_location(name), _location(self._path)) for name in inputs):
            raise RetellInputError(
                f"report_path must not be a file that the rows are read from. Use another path than {self.path}"
            )

    def task_run(self, outcomes: tuple[Outcome, ...]) -> dict[str, int] | None:
        """Return the number of rows with each of *outcomes* in all tries of the task run.

        None if there were earlier tries and the report does not have them.
        """
        is_first = self._try is None or self._try.number == 1
        return self._counts.manifest(outcomes) if is_first or self._counts.has_earlier else None

    def __enter__(self) -> Report:
        """Create the file, so that a path without write access fails the run before it begins.

        :raises RetellInputError: if the file is no report, or another mapped task of the same DAG run has written it.
        """
        if self._path is not None:
            import tempfile

            from airflow_provider_retell._compat.services import storage_path
            from airflow_provider_retell.common.atomic import create_folder
            from airflow_provider_retell.common.disk import writing_temporary

            with secrets_hidden(self._path), ExitStack() as opened:
                path = storage_path(self._path, self._conn_id)
                create_folder(path)
                with tempfile.TemporaryFile() as kept:
                    with writing_temporary(kept):
                        self._keep_earlier(path, kept)
                    self._file = opened.enter_context(self._open_file(path, kept))
                self._open = opened.pop_all()
        return self

    def _keep_earlier(self, path: Any, kept: BinaryIO) -> None:
        """Copy the lines of earlier tries to *kept*, and count them."""
        if self._try is None or not path.exists():
            return
        for line in self._earlier_lines():
            if "task_run" not in line:
                raise RetellInputError(
                    f"report_path is a file that is no report: {self.path}. Use another path, or delete the file"
                )
            self._check_sibling(line)
            # All lines of a report are of the same task run.
            if not self._try.owns(line):
                return
            self._counts.add_earlier(line)
            kept.write(json.dumps(line).encode() + b"\n")

    def _check_sibling(self, line: Any) -> None:
        if self._try is not None and self._try.is_sibling(line):
            raise self._shared()

    def _shared(self) -> RetellInputError:
        return RetellInputError(
            f"report_path must differ between mapped tasks, but another one has written {self.path}. "
            "Put {{ ti.map_index }} into the path, or {{ loop.index }} in a task loop"
        )

    def _check_replaced(self) -> None:
        """Raise :class:`RetellInputError` if another mapped task has written the file in the meantime."""
        from airflow_provider_retell._compat.services import storage_path

        if self._path is None or self._try is None:
            return
        with secrets_hidden(self._path):
            path = storage_path(self._path, self._conn_id)
            path.fs.invalidate_cache()
            if path.exists():
                try:
                    self._check_sibling(next(self._lines(), {}))
                except IncompleteFileError:  # this task's own compressed file, which is still open
                    return
                except SourceError:
                    # Two compressed files in one, unless the storage shows this task's file only after its end.
                    if _is_local(path):
                        raise self._shared() from None

    def _earlier_lines(self) -> Iterator[Any]:
        try:
            yield from self._lines()
        except SourceError:  # the compressed file of a try that was killed may be incomplete
            return

    def _lines(self) -> Iterator[Any]:
        from airflow_provider_retell.bulk.file_rows import FileRows
        from airflow_provider_retell.bulk.rows import BadRow

        for line in FileRows(str(self._path), self._conn_id).read():
            # The last line of a try that was killed may be incomplete.
            if not isinstance(line, BadRow):
                yield line

    @contextmanager
    def _open_file(self, path: Any, kept: BinaryIO) -> Iterator[BinaryIO]:
        """Open the file for more lines than those in *kept*."""
        import shutil

        from airflow_provider_retell.common.atomic import atomic_open

        has_kept, mode = kept.tell() > 0, "wb"
        kept.seek(0)
        if _is_local(path):
            if has_kept:
                # In one step, so that a kill does not lose the earlier lines.
                with atomic_open(str(self._path)) as file, self._compressed(file) as content:
                    shutil.copyfileobj(kept, content)
            else:
                path.open("wb").close()
            # Lines that another mapped task writes at the same time stay, so that this task finds them at its end.
            mode = "ab"
        with path.open(mode) as file, self._compressed(file) as content:
            if mode == "wb":
                shutil.copyfileobj(kept, content)
            yield content

    def _compressed(self, file: Any) -> AbstractContextManager[Any]:
        is_gzip = file_name(str(self._path)).endswith(".gz")
        return gzip.GzipFile(fileobj=file, mode="wb") if is_gzip else nullcontext(file)

    def write(self, results: Iterable[Result]) -> None:
        """Append a line for each of *results*. After the first error of the storage, only count them."""
        fields = {} if self._try is None else self._try.fields()
        lines = []
        for result in results:
            self._counts.add(result)
            lines.append(json.dumps({**result.line(), **fields}) + "\n")
        if self._file is not None:
            try:
                self._file.write("".join(lines).encode())
                self._file.flush()
            except Exception as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._file = None
        self.failure = self.failure or (
            f"the report could not be written: {self.path} ({storage_fault(error)}). The report lacks rows that were "
            "processed. Check the free space and the permissions there"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file.

        :raises RetellInputError: if another mapped task has written the file in the meantime.
        :raises ReportError: if the report could not be written, unless the run has failed with another error.
        """
        self._file = None
        try:
            if error is None:
                self._check_replaced()
        finally:
            self._close(kind, error, trace)

    def _close(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._open.__exit__(kind, error, trace)
        except Exception as failure:
            self._fail(failure)
        if not self.failure or self.failure in str(error):
            return
        message = f"T{self.failure[1:]}. {RESUME}"
        if error is None:
            raise ReportError(message)
        log.warning("%s", message)


def _is_local(path: Any) -> bool:
    return path.protocol in ("file", "local", "")


def _location(path: str) -> str:
    scheme, _, rest = path.partition("://") if "://" in path else ("", "", path)
    # A URL may have its Airflow connection before an '@'.
    if scheme in ("", "file", "local"):
        return os.path.realpath(rest)
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"
