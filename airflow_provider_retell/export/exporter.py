"""Export calls or chats from a listing to a file."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.errors import NotFoundError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.records.costs import CostTotal
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.common.run_stats import RunStats
from airflow_provider_retell.common.threads import WorkerThread
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.export.formats import open_writer

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.kind import Kind
    from airflow_provider_retell.api.records.models import RecordSummary
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

_PAGE = 1000
# The number of records with transcripts that are in memory at once. They can be large.
_WHOLE_RECORDS = 50


async def export(
    hook: RetellAsyncHook,
    path: str,
    kind: Kind[Any],
    *,
    conn_id: str | None,
    filter_criteria: Mapping[str, Any] | None,
    whole: bool,
    fields: Sequence[str] | None,
    skip_metadata_key: str | None,
) -> dict[str, Any]:
    """Write every matching record to *path*, oldest first, and return the manifest.

    :param kind: calls or chats.
    :param conn_id: the Airflow connection of the storage, or None for the storage's default connection.
    :param filter_criteria: the conditions, or None for all records.
    :param whole: True to read each record separately, which includes its transcript.
    :param fields: the fields to keep, in addition to the id, or None for all.
    :param skip_metadata_key: skip the listed records whose metadata has this key; the manifest counts them. For kinds
        without a filter on the metadata.
    """
    run = _Export(hook, kind)
    pages = Pages(kind.listing, filter_criteria=filter_criteria, sort_order="ascending", limit=_PAGE)
    async with WorkerThread("retell-export") as disk:
        writer = await disk.enter(open_writer(path, kind, fields, conn_id))

        async def write(records: Sequence[RecordSummary]) -> None:
            if records:
                await disk.run(writer.write, records)
            run.count(records)

        for request in pages:
            page = await hook.send(request)
            records = run.without_key(pages.read(page, malformed=True), skip_metadata_key)
            if whole:
                for start in range(0, len(records), _WHOLE_RECORDS):
                    await write(await run.read_whole(records[start : start + _WHOLE_RECORDS]))
            else:
                run.log_malformed(page.malformed)
                await write(records)
            run.log_progress()
    log.info("The export is complete: %s", safe_path(path))
    return run.manifest(path, skip_metadata_key is not None)


class _Export:
    """The counts of one export, and the reads of its whole records."""

    def __init__(self, hook: RetellAsyncHook, kind: Kind[Any]) -> None:
        self._hook = hook
        self._kind = kind
        self._stats = RunStats(hook.quotas.usage)
        self._counts: Counter[str] = Counter()
        self._cost = CostTotal(kind.name)

    def count(self, records: Sequence[RecordSummary]) -> None:
        """Count records that were written."""
        self._counts["written"] += len(records)
        self._counts["not_analyzed"] += sum(not record.is_analyzed for record in records)
        for record in records:
            self._cost.add(record.cost)

    def without_key(self, records: list[RecordSummary], key: str | None) -> list[RecordSummary]:
        """Return the records whose metadata lacks *key*, and count the others."""
        if key is None:
            return records
        kept = [record for record in records if not _has_key(record, key)]
        self._counts["skipped"] += len(records) - len(kept)
        return kept

    async def read_whole(self, records: Sequence[RecordSummary]) -> list[RecordSummary]:
        """Read *records* one by one, with their transcripts."""
        malformed = {}

        async def read(record: RecordSummary) -> RecordSummary:
            try:
                request = self._kind.get(record.record_id).with_parser(self._read_loosely)
                whole, fault = await self._hook.send(request)
            except NotFoundError:
                # The record was deleted after the listing, so write the listing's version.
                self._counts["vanished"] += 1
                return record
            if fault:
                malformed[record.record_id] = fault
            return whole

        whole = list(await asyncio.gather(*map(read, records)))
        self.log_malformed(malformed)
        return whole

    def _read_loosely(self, body: bytes) -> tuple[RecordSummary, str]:
        model = self._kind.record
        try:
            return model.read(body), ""
        except ValidationError as fault:
            if parsing.is_truncated(fault):
                raise
        return parsing.read_loosely(model, parsing.loads(body), model.identity)

    def log_malformed(self, malformed: Mapping[str, str]) -> None:
        """Count and log records that do not match Retell's documentation."""
        self._counts["malformed"] += len(malformed)
        for record_id, fault in malformed.items():
            log.warning("%s %s is exported unchanged: %s", self._kind.name.title(), record_id, fault)

    def log_progress(self) -> None:
        """Log the number of records and requests so far."""
        written = counted(self._counts["written"], self._kind.name)
        log.info("%s written, %s", written, counted(self._stats.requests, "request"))

    def manifest(self, path: str, counts_skipped: bool) -> dict[str, Any]:
        """Return the manifest."""
        counts = {f"{self._kind.name}s": self._counts["written"]}
        if counts_skipped:
            counts["skipped"] = self._counts["skipped"]
        counts |= {name: self._counts[name] for name in ("not_analyzed", "vanished", "malformed")}
        return self._stats.manifest(path=safe_path(path), **counts, **self._cost.fields())


def _has_key(record: RecordSummary, key: str) -> bool:
    # The metadata of a malformed record can be of any type.
    metadata: Any = record.metadata
    return isinstance(metadata, Mapping) and key in metadata
