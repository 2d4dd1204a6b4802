"""A Retell in a process of its own: the emulator, or a listing of made-up calls. See ``common.Server``.

Reads one command per line and answers each with one line of JSON; ends when its input does.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from typing import Any

from aiohttp import web

from airflow_provider_retell.emulator import Emulator

METADATA = {"customer": "C-1001", "tier": "silver"}
"""What every call has at first."""


def serve_emulator(options: dict[str, Any]) -> None:
    """Serve the emulator with *options*, without quotas and records unless they say otherwise."""
    with Emulator(**{"quotas": None, "record_requests": False, **options}) as emulator:
        answer(emulator.url)
        for line in sys.stdin:
            command, *arguments = json.loads(line)
            if command == "calls":  # so many ended calls, call_0 and on, in place of those there are
                count, minimal = arguments
                emulator.reset()
                for number in range(count):
                    call_id = f"call_{number}"
                    emulator.add_call(call_id=call_id, minimal=minimal, metadata=dict(METADATA))
                answer(count)
            elif command == "count":
                route, status = arguments
                answer(emulator.count(route, status=status))
            elif command == "metadata":  # how many calls hold these keys and values
                wanted = arguments[0].items()
                answer(sum(wanted <= call["metadata"].items() for call in emulator.calls.values()))
            elif command == "sent":  # when requests of a route came that succeeded, but not those to one call
                route, other = arguments
                kept = (each for each in emulator.requests if each.route == route and each.status == 200)
                answer([each.at for each in kept if each.call_id != f"call_{other}"])


def answer(value: Any) -> None:
    """Write one line."""
    print(json.dumps(value), flush=True)


async def serve_any_call() -> None:
    """Serve list-calls only, and know every call that is asked for: a million of them take no memory."""
    lists = itertools.count(1)
    sent = 0

    async def list_calls(request: web.BaseRequest) -> web.Response:
        nonlocal sent
        if request.path != "/v3/list-calls":
            return web.Response(status=404)
        ids = json.loads(await request.read())["filter_criteria"]["call_id"]["value"]
        sent = next(lists)
        items = [{"call_id": each, "call_status": "ended", "metadata": METADATA} for each in ids]
        return web.json_response({"items": items, "has_more": False})

    runner = web.ServerRunner(web.Server(list_calls, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answer(f"http://127.0.0.1:{runner.addresses[0][1]}")
    while await asyncio.to_thread(sys.stdin.readline):
        answer(sent)
    await runner.cleanup()


if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    if chosen == "any call":
        asyncio.run(serve_any_call())
    else:
        serve_emulator(chosen)
