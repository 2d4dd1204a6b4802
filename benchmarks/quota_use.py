"""Use of a quota of 100 per second by 1,000 updates: alone, next to a client that takes half, and with the SDK.

The same for chats and contacts, alone. Ideally, 1,000 updates take nine seconds from the first to the last: a hundred
at once, and a hundred more as each second ends. The ideal time includes the requests of the other client, because they
use the same quota.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
from retell import AsyncRetell, RetellError

from common import API_KEY, Context, Promises, Server, quiet, table
from kinds import CALLS, CHATS, CONTACTS, Kind

ROWS = 1000
RATE = 100
OPTIONS: dict[str, Any] = {"quotas": {"general": [RATE, 1.0]}, "record_requests": True}


def operator(kind: Kind) -> Callable[[str], None]:
    """Return a function that updates all records with the operator."""
    rows = [kind.row(number, tier="gold") for number in range(ROWS)]
    return lambda _url: kind.task(rows).execute(Context())


def sdk(at_once: int) -> Callable[[str], None]:
    """Return a function that updates all calls with the SDK: ``gather`` with a semaphore, and the SDK's retries."""

    async def run(url: str) -> None:
        slots = asyncio.Semaphore(at_once)
        async with AsyncRetell(api_key=API_KEY, base_url=url) as client:

            async def update(number: int) -> None:
                async with slots:
                    await client.call.update(
                        f"call_{number}", metadata={"customer": "C-1001", "tier": "gold"}
                    )

            results = await asyncio.gather(*map(update, range(ROWS)), return_exceptions=True)
        unexpected = [each for each in results if each is not None and not isinstance(each, RetellError)]
        assert not unexpected, unexpected

    return lambda url: asyncio.run(run(url))


class Other(threading.Thread):
    """A client that evenly sends fifty updates per second to its own call, and never repeats a rejected one."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/v2/update-call/call_{ROWS}"
        self._ending = threading.Event()
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        """Send until stopped."""
        asyncio.run(self._send())

    async def _send(self) -> None:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {API_KEY}"}) as session:
            loop = asyncio.get_running_loop()
            due = loop.time()
            while not self._ending.is_set():
                async with session.patch(self._url, json={"metadata": {"of": "another"}}) as answer:
                    self.answers[answer.status] += 1
                due += 2 / RATE
                await asyncio.sleep(max(due - loop.time(), 0))

    def stop(self) -> Counter[int]:
        """Stop the client and return the number of its responses by status."""
        self._ending.set()
        self.join()
        return self.answers


def measure(
    what: Callable[[str], None], kind: Kind = CALLS, *, shared: bool = False
) -> tuple[float, int, int]:
    """Return the time as a multiple of the ideal time, the number of 429 responses, and the number of lost rows."""
    with Server(OPTIONS) as server:
        server.connect(quota=f"{RATE}/1")
        kind.fill(server, ROWS + 1)
        other = Other(server.url) if shared else None
        if other is not None:
            other.start()
        what(server.url)
        theirs = other.stop() if other is not None else Counter()
        refused = server("count", kind.writing, 429) - theirs[429]
        written = server("with", kind.values, {"tier": "gold"})
        came = server("sent", kind.writing, ROWS)
        ideal = (ROWS + theirs[200]) / RATE - 1
        return (max(came) - min(came)) / ideal, refused, ROWS - written


def main() -> None:
    """Run the benchmark."""
    quiet()
    alone = measure(operator(CALLS))
    beside = measure(operator(CALLS), shared=True)
    others = {kind: measure(operator(kind), kind) for kind in (CHATS, CONTACTS)}
    some, all_ = measure(sdk(32)), measure(sdk(ROWS))
    print(f"quota_use: {ROWS:,} updates under a quota of {RATE} per second\n")
    rows = [
        ("operator", *alone),
        ("operator next to another client", *beside),
        *((f"operator, {kind}", *measured) for kind, measured in others.items()),
        ("SDK, gather, 32 at once", *some),
        ("SDK, gather, all at once", *all_),
    ]
    table(("with", "time over ideal", "429s", "rows lost"), rows)
    print()
    promises = Promises()
    for kind, (over_ideal, refused, lost) in {CALLS: alone, **others}.items():
        used = ROWS / RATE / (over_ideal * (ROWS / RATE - 1))
        promises.keep(
            f"{kind}: at least 97 % of the quota is used from the first update to the last ({used:.0%})",
            used >= 0.97,
        )
        promises.keep(f"{kind}: no request is rejected and no row is lost", refused == lost == 0)
    promises.keep("next to another client, no row is lost", beside[2] == 0)
    promises.keep(
        f"next to another client, at most 1.3 times the ideal time ({beside[0]:.2f})", beside[0] <= 1.3
    )
    promises.end()


if __name__ == "__main__":
    main()
