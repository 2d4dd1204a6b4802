"""An export from its first page to its last."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from airflow_provider_retell.api import parsing as parsing
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.errors import NotFoundError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.export.atomic import atomic_open
from airflow_provider_retell.export.formats import Writer, writer

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

T = TypeVar("T")

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1

# Whole calls with their transcripts can be large, so only so many are held at once.
_WHOLE_CALLS = 50


async def export(
    hook: RetellAsyncHook,
    path: str,
    *,
    conn_id: str | None = None,
    filter_criteria: Mapping[str, Any] | None = None,
    whole_calls: bool = False,
    fields: Sequence[str] | None = None,
    page_size: int = 1000,
) -> dict[str, Any]:
    """Write every call that matches to *path*, oldest first, and return the manifest.

    :param whole_calls: read each call with get-call, for its transcript, within that route's quota.
    :param fields: the fields to keep; all if not given. ``call_id`` is always kept.
    """
    started = time.monotonic()
    counts = {"calls": 0, "not_analyzed": 0, "vanished": 0, "malformed": 0}
    pages = Pages(
        endpoints.list_calls, filter_criteria=filter_criteria, sort_order="ascending", limit=page_size
    )
    disk = ThreadPoolExecutor(1, thread_name_prefix="retell-export")

    async def on_disk(what: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(disk, what)

    target = atomic_open(path, conn_id)
    try:
        out: Writer | None = None
        try:
            file = await on_disk(target.__enter__)
            out = await on_disk(functools.partial(writer, path, file, fields))
            for request in pages:
                page = await hook.send(request)
                calls = pages.read(page, malformed=True)
                if not whole_calls:
                    _tell_malformed(page.malformed, counts)
                size = _WHOLE_CALLS if whole_calls else max(len(calls), 1)
                for start in range(0, len(calls), size):
                    part: Sequence[Call] = calls[start : start + size]
                    if whole_calls:
                        part = await _whole(hook, part, counts)
                    await on_disk(functools.partial(out.write, part))
                    counts["calls"] += len(part)
                    counts["not_analyzed"] += sum(not call.is_analyzed for call in part)
                log.info("%s calls written, %d requests", f"{counts['calls']:,}", hook.quotas.usage.requests)
            await on_disk(out.close)
        except BaseException as error:
            if out is not None:
                with contextlib.suppress(Exception):  # of a file that is thrown away
                    await on_disk(out.close)
            await on_disk(functools.partial(target.__exit__, type(error), error, error.__traceback__))
            raise
        await on_disk(functools.partial(target.__exit__, None, None, None))
    finally:
        disk.shutdown()
    return {
        "schema_version": SCHEMA_VERSION,
        "path": path,
        **counts,
        "requests": hook.quotas.usage.requests,
        "seconds": round(time.monotonic() - started, 3),
        "waited_seconds": round(hook.quotas.usage.waited, 3),
    }


async def _whole(hook: RetellAsyncHook, calls: Sequence[Call], counts: dict[str, int]) -> list[Call]:
    malformed = {}

    async def read(call: Call) -> Call:
        try:
            whole, wrong = await hook.send(endpoints.get_call(call.call_id).with_parser(_loosely))
        except NotFoundError:
            counts["vanished"] += 1  # deleted since the listing: what the listing had is kept
            return call
        if wrong:
            malformed[call.call_id] = wrong
        return whole

    whole = list(await asyncio.gather(*map(read, calls)))
    _tell_malformed(malformed, counts)
    return whole


def _loosely(body: bytes) -> tuple[Call, str]:
    try:
        return Call.read(body), ""
    except ValidationError as fault:
        if parsing.is_truncated(fault):
            raise
    return parsing.read_loosely(Call, parsing.loads(body), Call.identity)


def _tell_malformed(malformed: Mapping[str, str], counts: dict[str, int]) -> None:
    counts["malformed"] += len(malformed)
    for call_id, wrong in malformed.items():
        log.warning("Call %s is written as it came: %s", call_id, wrong)
