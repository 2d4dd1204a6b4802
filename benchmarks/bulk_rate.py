"""Rate and CPU of BulkUpdateCallOperator without a quota, compared with bare aiohttp and with the vendor's SDK.

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

from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from common import API_KEY, NO_QUOTA, Context, Promises, Server, quiet, ratio, table

ROUNDS = 7
ROWS = 6_000
SDK_ROWS = 500  # fewer, because the SDK takes much longer
CONNECTIONS = 32


def metadata(number: int, tier: str) -> dict[str, object]:
    """Return the metadata that a call gets."""
    return {"customer": "C-1001", "tier": tier, "score": number}


def operator(tier: str, report: Path | None = None, dry_run: bool = False) -> None:
    """Update all calls with the operator, or only read and compare them."""
    rows = [{"call_id": f"call_{number}", "tier": tier, "score": number} for number in range(ROWS)]
    task = BulkUpdateCallOperator(
        task_id="bulk",
        rows=rows,
        concurrency=CONNECTIONS,
        quota=NO_QUOTA,
        report_path=str(report) if report else None,
        dry_run=dry_run,
    )
    context = Context()
    task.execute(context)
    assert context.manifest["would_update" if dry_run else "updated"] == ROWS, context.manifest


async def bare(url: str, tier: str) -> None:
    """Update all calls with bare aiohttp."""
    numbers = iter(range(ROWS))
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(
        connector=connector, headers={"Authorization": f"Bearer {API_KEY}"}
    ) as session:

        async def work() -> None:
            for number in numbers:
                address = f"{url}/v2/update-call/call_{number}"
                async with session.patch(address, json={"metadata": metadata(number, tier)}) as answer:
                    assert (await answer.json())["metadata"]["tier"] == tier

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
    runs: dict[str, list[tuple[float, float]]] = {"operator": [], "reading": [], "aiohttp": [], "SDK": []}
    with Server() as server, tempfile.TemporaryDirectory() as directory:
        server.connect()
        server("calls", ROWS, False)
        report = Path(directory) / "report.jsonl"
        for number in range(ROUNDS + 1):
            runs["operator"].append(measure(lambda tier=f"o{number}": operator(tier, report), ROWS))
            runs["reading"].append(measure(lambda tier=f"r{number}": operator(tier, dry_run=True), ROWS))
            runs["aiohttp"].append(
                measure(lambda tier=f"a{number}": asyncio.run(bare(server.url, tier)), ROWS)
            )
            runs["SDK"].append(
                measure(lambda tier=f"s{number}": asyncio.run(sdk(server.url, tier)), SDK_ROWS)
            )
    # The first round warms up.
    seconds = {name: [run[0] for run in results[1:]] for name, results in runs.items()}
    cpu = {name: [run[1] for run in results[1:]] for name, results in runs.items()}
    # The rates as multiples of the operator's rate.
    rate = {name: ratio(seconds["operator"], seconds[name]) for name in runs}
    work = {name: ratio(cpu[name], cpu["operator"]) for name in runs}
    print(
        f"bulk_rate: {ROWS:,} updates ({SDK_ROWS:,} with the SDK), {CONNECTIONS} connections, "
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
    promises = Promises()
    updating = [whole - read for whole, read in zip(seconds["operator"], seconds["reading"], strict=True)]
    alone = ratio(seconds["aiohttp"], updating)
    promises.keep(f"updates alone, at least 0.7 of bare aiohttp's rate ({alone:.2f})", alone >= 0.7)
    promises.keep(
        f"with reading and comparing, at least 0.7 of bare aiohttp's rate ({1 / rate['aiohttp']:.2f})",
        1 / rate["aiohttp"] >= 0.7,
    )
    promises.keep(f"at least 5 times the SDK's rate ({1 / rate['SDK']:.1f})", 1 / rate["SDK"] >= 5)
    promises.keep(f"at most a quarter of the SDK's CPU ({1 / work['SDK']:.2f})", work["SDK"] >= 4)
    promises.end()


if __name__ == "__main__":
    main()
