"""An emulated Retell in its own process, or a server that lists generated calls. See ``common.Server``.

Reads one command per line from standard input, answers each with one line of JSON, and exits at the end of the input.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from airflow_provider_retell.emulator import Emulator

METADATA = {"customer": "C-1001", "tier": "silver"}
"""The initial metadata of every call."""


def serve_emulator(options: dict[str, Any]) -> None:
    """Serve the emulator with *options*; by default without quotas and without recording requests."""
    with Emulator(**{"quotas": None, "record_requests": False, **options}) as emulator:
        answer(emulator.url)
        for line in sys.stdin:
            command, *arguments = json.loads(line)
            if command == "calls":  # replace all calls with this many ended ones: call_0, call_1, ...
                count, minimal = arguments
                emulator.reset()
                for number in range(count):
                    call_id = f"call_{number}"
                    emulator.add_call(call_id=call_id, minimal=minimal, metadata=dict(METADATA))
                answer(count)
            elif command == "chats":  # replace all chats with this many ended ones: chat_0, chat_1, ...
                emulator.reset()
                emulator.add_chats((f"chat_{number}" for number in range(arguments[0])), metadata=METADATA)
                answer(arguments[0])
            elif (
                command == "contacts"
            ):  # replace all contacts with this many: +14150000000, +14150000001, ...
                emulator.reset()
                numbers = (f"+1415{number:07}" for number in range(arguments[0]))
                emulator.add_contacts(numbers, custom_fields={"tier": "silver"})
                answer(arguments[0])
            elif command == "count":
                route, status = arguments
                answer(emulator.count(route, status=status))
            elif command == "metadata":  # count the calls and chats that have these keys and values
                wanted = arguments[0].items()
                records = itertools.chain(emulator.calls.values(), emulator.chats.values())
                answer(sum(wanted <= record["metadata"].items() for record in records))
            elif command == "custom fields":  # count the contacts that have exactly these
                answer(
                    sum(contact["custom_fields"] == arguments[0] for contact in emulator.contacts.values())
                )
            elif command == "sent":  # times of the successful requests of a route, except those for one call
                route, other = arguments
                kept = (each for each in emulator.requests if each.route == route and each.status == 200)
                answer([each.at for each in kept if each.call_id != f"call_{other}"])


def answer(value: Any) -> None:
    """Write one line of JSON."""
    print(json.dumps(value), flush=True)


async def serve_any_call() -> None:
    """Serve list-calls only, and invent every requested call, so that a million of them take no memory."""
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

    await serve(list_calls, lambda: sent)


async def serve_recordings() -> None:
    """List a call for each second of the filter's interval, and send 1 MB for every link, after 30 ms."""
    audio = b"RIFF" + bytes(1_000_000 - 4)

    async def respond(request: web.BaseRequest) -> web.Response:
        if request.path.startswith("/files/"):
            await asyncio.sleep(0.03)
            return web.Response(body=audio, content_type="audio/wav")
        body = json.loads(await request.read())
        start, end = body["filter_criteria"]["end_timestamp"]["value"]
        first = int(body.get("pagination_key", 0))
        last = min(first + body["limit"], (end + 1 - start) // 1000)
        host = request.headers["Host"]
        items = [
            {
                "call_id": f"call_{number}",
                "call_status": "ended",
                "metadata": METADATA,
                "recording_url": f"http://{host}/files/call_{number}.wav",
            }
            for number in range(first, last)
        ]
        has_more = last < (end + 1 - start) // 1000
        page = {"items": items, "has_more": has_more} | ({"pagination_key": str(last)} if has_more else {})
        return web.json_response(page)

    await serve(respond, lambda: None)


async def serve(
    handler: Callable[[web.BaseRequest], Awaitable[web.Response]], result: Callable[[], Any]
) -> None:
    """Serve until the end of the input, and answer each command with *result*."""
    runner = web.ServerRunner(web.Server(handler, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answer(f"http://127.0.0.1:{runner.addresses[0][1]}")
    while await asyncio.to_thread(sys.stdin.readline):
        answer(result())
    await runner.cleanup()


if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    if chosen == "any call":
        asyncio.run(serve_any_call())
    elif chosen == "recordings":
        asyncio.run(serve_recordings())
    else:
        serve_emulator(chosen)
