"""The arguments of the emulator's command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_provider_retell.emulator.rate_limits import DEFAULT_QUOTAS
from airflow_provider_retell.emulator.webhooks import EVENTS

_EPILOG = """\
Each line of the --calls file is a JSON object with fields of one call, as for Emulator.add_call. Fields that
are not given are filled as in a real call. Two more keys are allowed: "progress" (true lets a call that is
registered or ongoing continue its life cycle) and "minimal" (true leaves out transcripts, costs and analysis).

Control the running emulator at /_emulator/ from this machine, for example:
  curl -X POST http://127.0.0.1:8787/_emulator/clock -d '{"advance": 60}'
  curl -X POST http://127.0.0.1:8787/_emulator/faults -d '{"kind": "drop", "route": "update-call"}'
  curl -X PATCH http://127.0.0.1:8787/_emulator/calls/call_1 -d '{"call_status": "ended"}'
`python -m pydoc airflow_provider_retell.emulator.control` lists all of these requests.
"""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    result = argparse.ArgumentParser(
        prog="python -m airflow_provider_retell.emulator",
        description="Serve Retell's REST API on this machine, to try and test DAGs without a Retell account.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument

    def many(option: str, metavar: str, text: str) -> None:
        add(option, action="append", default=[], metavar=metavar, help=f"{text}; may be repeated")

    add("--port", type=int, default=8787, help="port to listen on; 0 for a free one (default: 8787)")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add(
        "--api-key",
        default="key_emulator",
        metavar="KEY",
        help="the API key that it accepts (default: key_emulator)",
    )
    add("--calls", type=Path, metavar="FILE", help="JSON lines file with calls to load")
    many("--custom-attribute", "ID", "id of a custom attribute of the organization")
    many("--contact-tag", "ID", "id of a tag of contacts")
    many(
        "--quota",
        "NAME=COUNT/SECONDS",
        f"override a request quota, such as general=100/10; NAME is {', '.join(DEFAULT_QUOTAS)} or a route "
        "such as update-call; NAME=off removes the quota",
    )
    add("--no-quota", action="store_true", help="remove all request quotas")
    add("--concurrency", type=int, default=20, help="number of live calls allowed (default: 20)")
    add("--speed", type=float, default=1.0, help="emulated seconds per real second (default: 1)")
    add("--frozen", action="store_true", help="start with the clock frozen")
    add(
        "--delays",
        default="2/30/10",
        metavar="ANSWER/TALK/ANALYZE",
        help="seconds until a call is answered, then until it ends, then until it is analyzed (default: 2/30/10)",
    )
    many(
        "--outcome",
        "NUMBER=REASON",
        "disconnection reason of calls to a number, such as +14155550123=dial_no_answer",
    )
    many("--do-not-call", "NUMBER", "number that is marked as do not call")
    many(
        "--option",
        "NAME=VALUE",
        "an option for a point that Retell does not document, such as metadata_semantics=merge, drops_null=true "
        "or chats.unknown_id_status=404",
    )
    add(
        "--like",
        type=Path,
        metavar="REPORT",
        help="behave as the account in this report of `python -m airflow_provider_retell.contract --json REPORT`; "
        "--option takes precedence",
    )
    add("--webhook-url", metavar="URL", help="send signed webhooks to this URL as calls and chats progress")
    add(
        "--webhook-event",
        action="append",
        choices=EVENTS,
        help="send only this event; may be repeated (default: all of them)",
    )
    add(
        "--simulation",
        default="2/60",
        metavar="QUEUE/TALK",
        help="seconds until a simulation test starts, then until its verdict (default: 2/60)",
    )
    add(
        "--test-run-credit",
        type=int,
        metavar="N",
        help="number of test runs that an organization can pay for (default: unlimited)",
    )
    add(
        "--indexing-seconds",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="seconds until the sources of a knowledge base are indexed (default: 20)",
    )
    add("--quiet", action="store_true", help="do not log requests to standard error")
    return result
