"""An emulated Retell in its own process, or a server that lists generated records. See ``common.Server``.

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
                answer(list(emulator.calls))
            elif command == "chats":  # replace all chats with this many ended ones: chat_0, chat_1, ...
                emulator.reset()
                emulator.add_chats((f"chat_{number}" for number in range(arguments[0])), metadata=METADATA)
                answer(list(emulator.chats))
            elif command == "contacts":  # replace all contacts with this many: +14150000000, ...
                emulator.reset()
                numbers = (f"+1415{number:07}" for number in range(arguments[0]))
                emulator.add_contacts(numbers, custom_fields={"tier": "silver"})
                answer(list(emulator.contacts))
            elif command == "count":
                route, status = arguments
                answer(emulator.count(route, status=status))
            elif command == "with":  # count the records that have these keys and values
                name, wanted = arguments
                records = itertools.chain.from_iterable(
                    each.values() for each in (emulator.calls, emulator.chats, emulator.contacts)
                )
                answer(sum(wanted.items() <= record.get(name, {}).items() for record in records))
            elif command == "sent":  # times of the successful requests of a route, except those for one call
                route, other = arguments
                kept = (each for each in emulator.requests if each.route == route and each.status == 200)
                answer([each.at for each in kept if each.call_id != f"call_{other}"])


def answer(value: Any) -> None:
    """Write one line of JSON."""
    print(json.dumps(value), flush=True)


async def serve_any_record() -> None:
    """Serve lists only, and invent every record, so that a million of them take no memory. Count the requests.

    The first argument of a command is the number of contacts from then on.
    """
    contacts = sent = 0

    def listed_by_id(body: Any, name: str) -> dict[str, Any]:
        ids = body["filter_criteria"][f"{name}_id"]["value"]
        items = [{f"{name}_id": each, f"{name}_status": "ended", "metadata": METADATA} for each in ids]
        return {"items": items, "has_more": False}

    def listed_contacts(body: Any) -> dict[str, Any]:
        first = int(body.get("pagination_key", 0))
        last = min(first + body["limit"], contacts)
        items = [
            {
                "contact_id": f"contact_{number:028x}",
                "phone_number": f"+1415{number:07}",
                "do_not_call": False,
                "custom_fields": {"tier": "silver"},
                "contact_tags": [],
            }
            for number in range(first, last)
        ]
        has_more = last < contacts
        return {"items": items, "has_more": has_more, "total": contacts} | (
            {"pagination_key": str(last)} if has_more else {}
        )

    async def respond(request: web.BaseRequest) -> web.Response:
        nonlocal sent
        sent += 1
        body = json.loads(await request.read())
        if request.path.endswith("/list-contacts"):
            return web.json_response(listed_contacts(body))
        name = request.path.rpartition("/list-")[2].removesuffix("s")
        return web.json_response(listed_by_id(body, name))

    def count(number_of_contacts: int = 0) -> int:
        nonlocal contacts
        contacts = number_of_contacts
        return sent

    await serve(respond, count)


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

    await serve(respond, lambda *_arguments: None)


async def serve(
    handler: Callable[[web.BaseRequest], Awaitable[web.Response]], result: Callable[..., Any]
) -> None:
    """Serve until the end of the input, and answer each command with the *result* of its arguments."""
    runner = web.ServerRunner(web.Server(handler, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answer(f"http://127.0.0.1:{runner.addresses[0][1]}")
    while line := await asyncio.to_thread(sys.stdin.readline):
        answer(result(*json.loads(line)[1:]))
    await runner.cleanup()


if __name__ == "__main__":
    chosen = json.loads(sys.argv[1])
    if chosen == "any record":
        asyncio.run(serve_any_record())
    elif chosen == "recordings":
        asyncio.run(serve_recordings())
    else:
        serve_emulator(chosen)
