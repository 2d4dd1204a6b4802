"""Archive the files of one call."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.fields import TRANSCRIPTS
from airflow_provider_retell.api.calls.files import FILES, TRANSCRIPT, FileKind, path_of
from airflow_provider_retell.api.calls.recordings import (
    HEAD_BYTES,
    ArchivedCall,
    BadFileError,
    DownloadError,
    LinkRejectedError,
    check_start,
)
from airflow_provider_retell.api.errors import NotFoundError, RetellError
from airflow_provider_retell.bulk.errors import StorageError
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.recordings.archive_paths import recording_path
from airflow_provider_retell.bulk.recordings.listed_links import ListedLinks
from airflow_provider_retell.clock import clock

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.recordings.sources import Item
    from airflow_provider_retell.bulk.recordings.storage import Storage
    from airflow_provider_retell.hooks.downloads import Downloads
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

Cause = Literal["not_connected", "storage_setting", "removed"]
"""The reason why Retell has none of a call's files. ``not_connected``: nobody answered. ``storage_setting``: the call's
storage setting excludes them. ``removed``: Retell has deleted them (retention), or has made none."""

_REASONS: Mapping[Cause, str] = {
    "not_connected": "the call did not connect",
    "storage_setting": "the call's data_storage_setting excludes the files",
    "removed": "Retell has none of the files: the agent's retention has deleted them, or there was nothing to record",
}

# Attempts for one file, and the seconds of waiting before the second one. Each wait is twice as long as the one before.
_ATTEMPTS = 3
_FIRST_WAIT = 1.0

State = Literal["written", "present", "missing"]


@dataclass(frozen=True)
class Archived:
    """The result of one call.

    :ivar written: the names of the files that were written.
    :ivar size: the number of bytes that were written.
    :ivar cause: the reason why Retell has none of the files, or None.
    :ivar error: the error of a file or of the call, or None.
    """

    result: Result
    written: tuple[str, ...] = ()
    size: int = 0
    cause: Cause | None = None
    error: RetellError | None = None


@dataclass(frozen=True)
class Archiver:
    """Archives the files of calls.

    :ivar path: the path of recordings, with the placeholder for the call's id.
    :ivar files: the names of the files to archive.
    """

    hook: RetellAsyncHook
    downloads: Downloads
    storage: Storage
    path: str
    files: Sequence[str]
    listed_links: ListedLinks = field(default_factory=ListedLinks)

    async def archive(self, item: Item) -> Archived:
        """Archive the files of a call that are not there yet."""
        if item.call is not None:
            self.listed_links.note_listed(item.links)
        return await _CallArchive(self, item).run()


class _CallArchive:
    """The archive of one call. It reads the call at most once."""

    def __init__(self, archiver: Archiver, item: Item) -> None:
        self._archiver = archiver
        self._item = item
        self._links = dict(item.links)
        self._call = item.call
        self._was_read = False
        self._transcripts: dict[str, Any] = {}
        self._size = 0

    async def run(self) -> Archived:
        row, call_id = self._item.row, self._item.call_id
        if self._call is not None and not self._call.has_ended:
            return self._not_ended()
        states: dict[str, State] = {}
        faults: dict[str, RetellError] = {}
        names = deque(self._archiver.files)
        while names:
            name = names.popleft()
            try:
                states[name] = await self._archive(name)
            except (DownloadError, LinkRejectedError, BadFileError, StorageError) as error:
                faults[name] = error
            except RetellError as error:
                return Archived(Result.of_error(row, call_id, error), *self._written(states), error=error)
            if self._call is not None and not self._call.has_ended:
                return self._not_ended()
            # A read for a later file may have shown the links to earlier ones.
            found = [name for name, state in states.items() if state == "missing" and name in self._links]
            for name in found:
                del states[name]
            names.extend(found)
        written, size = self._written(states)
        missing = [name for name, state in states.items() if state == "missing"]
        if faults:
            reason = "; ".join(f"{name}: {error}" for name, error in faults.items())
            failed = Result(row, call_id, "failed", reason, written)
            return Archived(failed, written, size, error=next(iter(faults.values())))
        if len(missing) == len(states):
            cause = self._cause()
            return Archived(Result(row, call_id, "no_recording", _REASONS[cause]), cause=cause)
        reason = f"Retell has no {', '.join(missing)}" if missing else ""
        return Archived(
            Result(row, call_id, "archived" if written else "unchanged", reason, written), written, size
        )

    def _written(self, states: Mapping[str, State]) -> tuple[tuple[str, ...], int]:
        return tuple(name for name, state in states.items() if state == "written"), self._size

    def _not_ended(self) -> Archived:
        reason = "the call has not ended. Archive it after its end"
        return Archived(Result(self._item.row, self._item.call_id, "not_ended", reason))

    def _cause(self) -> Cause:
        call = self._call
        if call is not None and call.call_status == "not_connected":
            return "not_connected"
        if call is not None and call.data_storage_setting not in (None, "everything"):
            return "storage_setting"
        return "removed"

    async def _archive(self, name: str) -> State:
        path = path_of(name, recording_path(self._archiver.path, self._item.call_id))
        present = await self._archiver.storage.size(path)
        try:
            if name == TRANSCRIPT:
                return "present" if present else await self._write_transcripts(path)
            return await self._archive_link(name, path, present)
        except NotFoundError:
            if present is None:
                raise
            # The call was deleted after it was archived.
            return "present"

    async def _archive_link(self, name: str, path: str, present: int | None) -> State:
        # A call that was listed without any link is always read.
        is_known = self._call is not None and self._links and self._archiver.listed_links.are_complete(name)
        if name not in self._links and not is_known and self._may_have_more():
            await self._read()
        if name not in self._links:
            return "missing" if present is None else "present"
        kind = FILES[name]
        try:
            return await self._fetch(self._links[name], path, kind, present)
        except LinkRejectedError:
            if self._was_read:
                raise
            await self._read()
        if name not in self._links:
            return "missing" if present is None else "present"
        return await self._fetch(self._links[name], path, kind, present)

    def _may_have_more(self) -> bool:
        """Return True if reading the call may show a file that is not known yet."""
        call = self._call
        if self._was_read or call is None:
            return not self._was_read
        connected = call.call_status != "not_connected"
        return connected and call.data_storage_setting != "basic_attributes_only"

    async def _read(self) -> None:
        """Read the call, with new links."""
        request = endpoints.get_call(self._item.call_id).with_parser(_parse)
        call, self._transcripts = await self._archiver.hook.send(request)
        self._call = call
        self._links = call.links() if call.has_ended else {}
        self._was_read = True
        if self._item.call is not None:
            unlisted = FILES.keys() - self._item.links
            self._archiver.listed_links.note_read(unlisted, self._links)

    async def _fetch(self, link: str, path: str, kind: FileKind, present: int | None) -> State:
        wait = _FIRST_WAIT
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if present is not None and present == await self._archiver.downloads.size(link, kind):
                    return "present"
                async with self._archiver.downloads.open(link, kind) as chunks:
                    self._size += await self._archiver.storage.write(path, _checked(chunks, kind))
            except DownloadError:
                if attempt == _ATTEMPTS:
                    raise
                await clock().sleep_async(wait)
                wait *= 2
            else:
                return "written"
        raise AssertionError("unreachable")

    async def _write_transcripts(self, path: str) -> State:
        if self._may_have_more():
            await self._read()
        if not self._transcripts:
            return "missing"
        content = json.dumps(
            {"call_id": self._item.call_id, **self._transcripts}, ensure_ascii=False
        ).encode()
        self._size += await self._archiver.storage.write(path, _once(content))
        return "written"


def _parse(body: bytes) -> tuple[ArchivedCall, dict[str, Any]]:
    call = ArchivedCall.read(body)
    fields = json.loads(body)
    return call, {name: fields[name] for name in sorted(TRANSCRIPTS) if fields.get(name)}


async def _checked(chunks: AsyncIterator[bytes], kind: FileKind) -> AsyncIterator[bytes]:
    """Yield *chunks* after a check of the first bytes."""
    start: bytes | None = b""
    async for chunk in chunks:
        if start is None:
            yield chunk
            continue
        start += chunk
        if len(start) >= HEAD_BYTES:
            check_start(start, kind)
            yield start
            start = None
    if start is not None:
        check_start(start, kind)
        yield start


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
