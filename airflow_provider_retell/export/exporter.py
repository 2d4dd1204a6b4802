"""Export calls from a listing to a file."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.errors import NotFoundError
from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.records.costs import CostTotal
from airflow_provider_retell.common.run_stats import RunStats
from airflow_provider_retell.common.threads import WorkerThread
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.export.formats import open_writer

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)

# The number of calls with transcripts that are in memory at once. They can be large.
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
    """Write every matching call to *path*, oldest first, and return the manifest.

    :param conn_id: the Airflow connection of the storage. Default: the storage's default connection.
    :param filter_criteria: the conditions. Default: all calls.
    :param whole_calls: True to read each call with get-call, which includes its transcript.
    :param fields: the fields to keep, in addition to ``call_id``. Default: all.
    :param page_size: calls per list request, 1 to 1000.
    """
    stats = RunStats(hook.quotas.usage)
    counts: Counter[str] = Counter()
    cost = CostTotal()
    pages = Pages(
        endpoints.list_calls, filter_criteria=filter_criteria, sort_order="ascending", limit=page_size
    )
    async with WorkerThread("retell-export") as disk:
        writer = await disk.enter(open_writer(path, fields, conn_id))

        async def write(calls: Sequence[Call]) -> None:
            if calls:
                await disk.run(writer.write, calls)
            counts["calls"] += len(calls)
            counts["not_analyzed"] += sum(not call.is_analyzed for call in calls)
            for call in calls:
                cost.add(call.call_cost)

        for request in pages:
            page = await hook.send(request)
            calls = pages.read(page, malformed=True)
            if whole_calls:
                for start in range(0, len(calls), _WHOLE_CALLS):
                    await write(await _read_whole(hook, calls[start : start + _WHOLE_CALLS], counts))
            else:
                _log_malformed(page.malformed, counts)
                await write(calls)
            log.info("%s written, %s", counted(counts["calls"], "call"), counted(stats.requests, "request"))
    names = ("calls", "not_analyzed", "vanished", "malformed")
    return stats.manifest(path=path, **{name: counts[name] for name in names}, **cost.fields())


async def _read_whole(hook: RetellAsyncHook, calls: Sequence[Call], counts: Counter[str]) -> list[Call]:
    malformed = {}

    async def read(call: Call) -> Call:
        try:
            whole, fault = await hook.send(endpoints.get_call(call.call_id).with_parser(_read_loosely))
        except NotFoundError:
            # The call was deleted after the listing, so write the listing's version.
            counts["vanished"] += 1
            return call
        if fault:
            malformed[call.call_id] = fault
        return whole

    whole = list(await asyncio.gather(*map(read, calls)))
    _log_malformed(malformed, counts)
    return whole


def _read_loosely(body: bytes) -> tuple[Call, str]:
    try:
        return Call.read(body), ""
    except ValidationError as fault:
        if parsing.is_truncated(fault):
            raise
    return parsing.read_loosely(Call, parsing.loads(body), Call.identity)


def _log_malformed(malformed: Mapping[str, str], counts: Counter[str]) -> None:
    counts["malformed"] += len(malformed)
    for call_id, fault in malformed.items():
        log.warning("Call %s is exported unchanged: %s", call_id, fault)
