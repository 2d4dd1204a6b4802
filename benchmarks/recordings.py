"""Rate and memory of an archive of recordings, compared with a bare aiohttp client.

The server answers for every call id, and sends 1 MB of audio 30 ms after a request. The bare client streams as many
recordings at once to the same disk, without any check. Rounds alternate, so that a change in the machine's speed
affects both. Each measurement of memory has its own process.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from common import NO_QUOTA, Context, Promises, Server, quiet, ratio, table

COUNT = int(os.environ.get("RECORDINGS", "2000"))
SMALL = 20
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CONCURRENCY = 16
MIN_RATIO = 0.6
MAX_MB = 60


def archive(folder: str, count: int) -> dict[str, float]:
    """Archive *count* recordings; return the counts and the seconds."""
    from airflow_provider_retell.operators.recordings import ArchiveRecordingsOperator

    context = Context()
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    # The server lists as many calls as the interval has seconds.
    context |= {"data_interval_start": start, "data_interval_end": start + timedelta(seconds=count)}
    task = ArchiveRecordingsOperator(
        task_id="archive", path=f"{folder}/{{call_id}}.wav", overlap=0, concurrency=CONCURRENCY
    )
    began = time.perf_counter()
    task.execute(context)
    return {**context.manifest, "seconds": time.perf_counter() - began}


def bare(url: str, folder: str, count: int) -> float:
    """Stream *count* recordings with aiohttp alone; return the seconds."""
    import aiohttp

    async def run() -> None:
        numbers = iter(range(count))

        async def work(session: aiohttp.ClientSession) -> None:
            for number in numbers:
                async with session.get(f"{url}/files/call_{number}.wav") as response:
                    with Path(f"{folder}/call_{number}.wav").open("wb") as file:  # noqa: ASYNC230
                        async for chunk in response.content.iter_chunked(256 * 1024):
                            file.write(chunk)

        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(work(session) for _ in range(CONCURRENCY)))

    began = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - began


def peak(count: str, folder: str) -> None:
    """Archive recordings in this process; print the counts and the peak memory."""
    quiet()
    manifest = archive(folder, int(count))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = used / (1e6 if sys.platform == "darwin" else 1e3)
    print(json.dumps([manifest["archived"], manifest["bytes"], megabytes]))


def fresh(folder: str) -> str:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir()
    return folder


def main() -> None:
    """Run the benchmark."""
    quiet()
    rounds, memory = [], []
    with Server("recordings") as server, tempfile.TemporaryDirectory() as directory:
        server.connect(list_quota=NO_QUOTA)
        folder = f"{directory}/files"
        archive(fresh(folder), SMALL)  # imports
        for _ in range(ROUNDS):
            other = bare(server.url, fresh(folder), COUNT)
            done = archive(fresh(folder), COUNT)
            rounds.append((COUNT / done["seconds"], COUNT / other, done["archived"]))
        for count in (SMALL, COUNT):
            command = [sys.executable, __file__, str(count), fresh(folder)]
            ended = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ, timeout=600
            )
            memory.append((count, *json.loads(ended.stdout.splitlines()[-1])))
    print(f"recordings: {COUNT:,} recordings of 1 MB, {CONCURRENCY} at once, first byte after 30 ms\n")
    table(
        ("round", "archive, files/s", "bare aiohttp, files/s", "ratio"),
        ((str(number), ours, base, ours / base) for number, (ours, base, _) in enumerate(rounds, start=1)),
    )
    print()
    table(("recordings", "MB", "peak MB"), ((str(count), size / 1e6, mb) for count, _, size, mb in memory))
    print()
    promises = Promises()
    promises.keep("every recording is archived", all(done == COUNT for _, _, done in rounds))
    reached = ratio([ours for ours, _, _ in rounds], [base for _, base, _ in rounds])
    promises.keep(f"{reached:.2f} of the rate of bare aiohttp, at least {MIN_RATIO}", reached >= MIN_RATIO)
    more = memory[1][-1] - memory[0][-1]
    promises.keep(
        f"{COUNT:,} recordings take {more:.0f} MB more than {SMALL}, at most {MAX_MB}", more <= MAX_MB
    )
    promises.end()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        peak(*sys.argv[1:])
    else:
        main()
