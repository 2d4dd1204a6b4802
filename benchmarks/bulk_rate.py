"""Rate and CPU of BulkUpdateCallOperator without a quota, compared with bare aiohttp and with the vendor's SDK.

Rate of BulkUpdateChatOperator and SyncContactsOperator, compared with bare aiohttp.

The operator does its full work: it reads each call's current state, compares, validates and encodes the rows, sends the
updates, compares the responses and writes a report. The other two send the final metadata and parse the response.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
from retell import AsyncRetell

from common import API_KEY, NO_QUOTA, Context, Promises, Server, quiet, ratio, table
from kinds import CALLS, CHATS, CONTACTS, Kind

ROUNDS = 7
ROWS = 6_000
OTHER_ROUNDS = 5  # with chats and contacts
SDK_ROWS = 500  # fewer, because the SDK takes much longer
CONNECTIONS = 32


def metadata(number: int, tier: str) -> dict[str, object]:
    """Return the metadata that a call or chat gets."""
    return {"customer": "C-1001", "tier": tier, "score": number}


def operator(kind: Kind, tier: str, report: Path | None = None, dry_run: bool = False) -> None:
    """Update all records with the operator, or only read and compare them."""
    rows = [kind.row(number, tier=tier, score=number) for number in range(ROWS)]
    task = kind.task(
        rows,
        concurrency=CONNECTIONS,
        quota=NO_QUOTA,
        report_path=str(report) if report else None,
        dry_run=dry_run,
    )
    context = Context()
    task.execute(context)
    assert context.manifest["would_update" if dry_run else "updated"] == ROWS, context.manifest


async def bare(kind: Kind, ids: list[str], url: str, tier: str) -> None:
    """Update all records with bare aiohttp."""
    numbers = iter(range(ROWS))
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector, headers={"Authorization": f"Bearer {API_KEY}"}
    ) as session:

        async def work() -> None:
            for number in numbers:
                address = f"{url}{kind.path}{ids[number]}"
                values = {"tier": tier} if kind is CONTACTS else metadata(number, tier)
                async with session.patch(address, json={kind.values: values}) as answer:
                    assert (await answer.json())[kind.values]["tier"] == tier

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


async def sdk(url: str, tier: str) -> None:
    """Update some of the calls as SDK users do: ``gather`` with a semaphore."""
    slots = asyncio.Semaphore(CONNECTIONS)
    async with AsyncRetell(api_key=API_KEY, base_url=url) as client:

        async def update(number: int) -> None:
            async with slots:
                call = await client.call.update(f"call_{number}", metadata=metadata(number, tier))
            assert call.metadata["tier"] == tier  # type: ignore[index]

        await asyncio.gather(*(update(number) for number in range(SDK_ROWS)))


def measure(what: Callable[[], object], rows: int) -> tuple[float, float]:
    """Return the seconds, and the CPU seconds of this process, per 1,000 rows."""
    started, cpu = time.perf_counter(), time.process_time()
    what()
    return (time.perf_counter() - started) / rows * 1000, (time.process_time() - cpu) / rows * 1000


def main() -> None:
    """Run the benchmark."""
    quiet()
    gc.freeze()  # as Airflow's LocalExecutor does before it starts a worker
    promises = Promises()
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        server.connect()
        report = Path(directory) / "report.jsonl"
        compare_calls(server, report, promises)
        for kind in (CHATS, CONTACTS):
            compare(kind, server, report, promises)
    promises.end()


def compare_calls(server: Server, report: Path, promises: Promises) -> None:
    """Compare the operator for calls with bare aiohttp and with the SDK."""
    runs: dict[str, list[tuple[float, float]]] = {"operator": [], "reading": [], "aiohttp": [], "SDK": []}
    ids = CALLS.fill(server, ROWS, minimal=False)
    for number in range(ROUNDS + 1):
        add_round(runs, CALLS, ids, server.url, report, number)
        runs["SDK"].append(measure(lambda tier=f"s{number}": asyncio.run(sdk(server.url, tier)), SDK_ROWS))
    # The first round warms up.
    seconds = {name: [run[0] for run in results[1:]] for name, results in runs.items()}
    cpu = {name: [run[1] for run in results[1:]] for name, results in runs.items()}
    # The rates as multiples of the operator's rate.
    rate = {name: ratio(seconds["operator"], seconds[name]) for name in runs}
    work = {name: ratio(cpu[name], cpu["operator"]) for name in runs}
    print(
        f"bulk_rate: {ROWS:,} updates of calls ({SDK_ROWS:,} with the SDK), {CONNECTIONS} connections, "
        f"medians of {ROUNDS} rounds\n"
    )
    table(
        ("with", "rows/s", "CPU s per 1,000", "rate of the operator's", "CPU of the operator's"),
        (
            (
                name,
                round(1000 / statistics.median(seconds[name])),
                statistics.median(cpu[name]),
                rate[name],
                work[name],
            )
            for name in runs
        ),
    )
    print()
    alone = rate_alone(seconds)
    promises.keep(f"updates alone, at least 0.7 of bare aiohttp's rate ({alone:.2f})", alone >= 0.7)
    promises.keep(
        f"with reading and comparing, at least 0.7 of bare aiohttp's rate ({1 / rate['aiohttp']:.2f})",
        1 / rate["aiohttp"] >= 0.7,
    )
    promises.keep(f"at least 5 times the SDK's rate ({1 / rate['SDK']:.1f})", 1 / rate["SDK"] >= 5)
    promises.keep(f"at most a quarter of the SDK's CPU ({1 / work['SDK']:.2f})", work["SDK"] >= 4)


def compare(kind: Kind, server: Server, report: Path, promises: Promises) -> None:
    """Compare the operator of *kind* with bare aiohttp."""
    runs: dict[str, list[tuple[float, float]]] = {"operator": [], "reading": [], "aiohttp": []}
    ids = kind.fill(server, ROWS)
    for number in range(OTHER_ROUNDS + 1):
        add_round(runs, kind, ids, server.url, report, number)
    seconds = {name: [run[0] for run in results[1:]] for name, results in runs.items()}
    print(
        f"\nbulk_rate: {ROWS:,} updates of {kind}, {CONNECTIONS} connections, medians of {OTHER_ROUNDS} rounds\n"
    )
    rates = ((name, round(1000 / statistics.median(seconds[name]))) for name in runs)
    table(("with", "rows/s"), rates)
    print()
    alone, whole = rate_alone(seconds), ratio(seconds["aiohttp"], seconds["operator"])
    promises.keep(
        f"{kind}: updates alone, at least 0.6 of bare aiohttp's rate ({alone:.2f}; {whole:.2f} with reading and "
        "comparing)",
        alone >= 0.6,
    )


def add_round(
    runs: dict[str, list[tuple[float, float]]],
    kind: Kind,
    ids: list[str],
    url: str,
    report: Path,
    number: int,
) -> None:
    """Measure the operator, its reading alone, and bare aiohttp. Each writes values of its own."""
    runs["operator"].append(measure(lambda: operator(kind, f"o{number}", report), ROWS))
    runs["reading"].append(measure(lambda: operator(kind, f"r{number}", dry_run=True), ROWS))
    runs["aiohttp"].append(measure(lambda: asyncio.run(bare(kind, ids, url, f"a{number}")), ROWS))


def rate_alone(seconds: dict[str, list[float]]) -> float:
    """Return the rate of the operator without its reading, as a multiple of the rate of aiohttp."""
    updating = [whole - read for whole, read in zip(seconds["operator"], seconds["reading"], strict=True)]
    return ratio(seconds["aiohttp"], updating)


if __name__ == "__main__":
    main()
