"""The command line of the emulator."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls.lifecycle import Lifecycle
from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.emulator import Emulator
from airflow_provider_retell.emulator.knowledge_bases.options import KnowledgeBaseOptions
from airflow_provider_retell.emulator.options import Options
from airflow_provider_retell.emulator.rate_limits import DEFAULT_QUOTAS
from airflow_provider_retell.emulator.simulations.simulator import Simulation
from airflow_provider_retell.emulator.undocumented import (
    as_option,
    keywords,
    options_in_report,
    undocumented_options,
)
from airflow_provider_retell.emulator.webhooks import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class UsageError(Exception):
    """An error in the arguments or the calls file, with a message for the user."""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    result = argparse.ArgumentParser(
        prog="python -m airflow_provider_retell.emulator",
        description="Serve Retell's REST API on this machine, to try and test DAGs without a Retell account.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--port", type=int, default=8787, help="port to listen on; 0 for a free one (default: 8787)")
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add(
        "--api-key",
        default="key_emulator",
        metavar="KEY",
        help="the API key that it accepts (default: key_emulator)",
    )
    add("--calls", type=Path, metavar="FILE", help="JSON lines file with calls to load")
    add(
        "--custom-attribute",
        action="append",
        default=[],
        metavar="ID",
        help="id of a custom attribute of the organization; may be repeated",
    )
    add(
        "--quota",
        action="append",
        default=[],
        metavar="NAME=COUNT/SECONDS",
        help=f"override a request quota, such as general=100/10; NAME is {', '.join(DEFAULT_QUOTAS)} or a route "
        "such as update-call; NAME=off removes the quota; may be repeated",
    )
    add("--no-quota", action="store_true", help="remove all request quotas")
    add(
        "--throttle-headers",
        choices=("retry-after", "http-date", "ratelimit-reset", "none"),
        default=argparse.SUPPRESS,
        help="headers of a 429 that carry the waiting time (default: retry-after)",
    )
    add("--concurrency", type=int, default=20, help="number of live calls allowed (default: 20)")
    add("--speed", type=float, default=1.0, help="emulated seconds per real second (default: 1)")
    add("--frozen", action="store_true", help="start with the clock frozen")
    add(
        "--delays",
        default="2/30/10",
        metavar="ANSWER/TALK/ANALYZE",
        help="seconds until a call is answered, then until it ends, then until it is analyzed (default: 2/30/10)",
    )
    add(
        "--outcome",
        action="append",
        default=[],
        metavar="NUMBER=REASON",
        help="disconnection reason of calls to a number, such as +14155550123=dial_no_answer; may be repeated",
    )
    add(
        "--do-not-call",
        action="append",
        default=[],
        metavar="NUMBER",
        help="number that is marked as do not call; may be repeated",
    )
    add(
        "--metadata-semantics",
        choices=("replace", "merge"),
        default=argparse.SUPPRESS,
        help="effect of update-call on metadata (default: replace)",
    )
    add(
        "--drops-null",
        action="store_true",
        default=argparse.SUPPRESS,
        help="drop metadata keys whose value is null",
    )
    add(
        "--echo-custom-attributes",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show custom attributes in call objects",
    )
    add(
        "--not-ended-status",
        type=int,
        choices=(400, 422),
        default=argparse.SUPPRESS,
        help="status code of update-call for a call that has not ended (default: 400)",
    )
    add(
        "--max-ids-per-filter",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help="number of ids allowed in a call_id filter (default: unlimited)",
    )
    add(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another option for a point that Retell does not document, such as unknown_id_status=404 or "
        "lists_registered=false; may be repeated",
    )
    add(
        "--like",
        type=Path,
        metavar="REPORT",
        help="behave as the account in this report of `python -m airflow_provider_retell.contract --json REPORT`; "
        "the options above take precedence",
    )
    add("--webhook-url", metavar="URL", help="send signed webhooks to this URL as calls progress")
    add(
        "--webhook-event",
        action="append",
        choices=EVENTS,
        help="send only this event; may be repeated (default: all of them)",
    )
    add(
        "--missing-asset-status",
        type=int,
        choices=(404, 422),
        default=404,
        help="status code for an agent, engine or phone number that does not exist (default: 404)",
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
        "--test-case-update-semantics",
        choices=("merge", "replace"),
        default="merge",
        help="effect of update-test-case-definition on mocks and variables that it leaves out (default: merge)",
    )
    add(
        "--batch-test-list-delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="seconds until list-batch-tests shows a new batch test (default: 0)",
    )
    add(
        "--test-run-list-delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="seconds until list-test-runs shows the verdicts of a complete batch test (default: 0)",
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


def build(args: argparse.Namespace) -> Emulator:
    """Return an emulator with the options in *args*, not started."""
    quotas: dict[str, tuple[int, float] | None] | None = None
    if not args.no_quota:
        quotas = dict(_quota(text) for text in args.quota)
    elif args.quota:
        raise UsageError("--quota and --no-quota exclude each other: give one of them")
    answer, talk, analyze = _durations("--delays", "ANSWER/TALK/ANALYZE", "2/30/10", args.delays)
    queue, simulated = _durations("--simulation", "QUEUE/TALK", "2/60", args.simulation)
    try:
        return Emulator(
            host=args.host,
            port=args.port,
            api_key=args.api_key,
            custom_attributes=tuple(args.custom_attribute),
            quotas=quotas,
            record_requests=10_000,
            clock=Clock(speed=args.speed, frozen=args.frozen),
            lifecycle=Lifecycle(answer, talk, analyze),
            outcomes=dict(_pair("--outcome", text) for text in args.outcome),
            concurrency=args.concurrency,
            do_not_call=tuple(args.do_not_call),
            webhook_url=args.webhook_url,
            webhook_events=tuple(args.webhook_event or EVENTS),
            **keywords(Options, _undocumented(args)),
            missing_asset_status=args.missing_asset_status,
            simulation=Simulation(queue, simulated),
            test_run_credit=args.test_run_credit,
            test_case_update_semantics=args.test_case_update_semantics,
            batch_test_list_delay=args.batch_test_list_delay,
            test_run_list_delay=args.test_run_list_delay,
            knowledge_bases=KnowledgeBaseOptions(indexing_seconds=args.indexing_seconds),
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _undocumented(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options for points that Retell does not document: those of the report, then those given."""
    options = load_options(args.like) if args.like else {}
    for text in args.option:
        name, value = _pair("--option", text)
        try:
            options[name] = as_option(Options, name, json.loads(value))
        except json.JSONDecodeError:
            options[name] = as_option(Options, name, value)
    return options | {name: getattr(args, name) for name in undocumented_options(Options) if name in args}


def load_options(path: Path) -> dict[str, Any]:
    """Return the options in a report of the contract."""
    try:
        return options_in_report(Options, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def _durations(option: str, form: str, example: str, text: str) -> list[float]:
    parts = text.split("/")
    try:
        if len(parts) == form.count("/") + 1:
            return [float(part) for part in parts]
    except ValueError:
        pass
    raise UsageError(f"{option} must be {form}, such as {example}, not {text!r}")


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(f"{option} must be NAME=VALUE, not {text!r}")
    return name, value


def _quota(text: str) -> tuple[str, tuple[int, float] | None]:
    name, value = _pair("--quota", text)
    if value == "off":
        return name, None
    try:
        count, seconds = value.split("/")
        return name, (int(count), float(seconds))
    except ValueError:
        raise UsageError(f"--quota must be NAME=COUNT/SECONDS or NAME=off, not {text!r}") from None


def load_calls(emulator: Emulator, path: Path) -> int:
    """Add the calls in a JSON lines file and return their number. Blank lines are skipped."""
    loaded = 0
    try:
        with path.open("rb") as lines:
            for number, fields in _objects(path, lines):
                try:
                    emulator.add_call(**fields)
                except (ValueError, TypeError) as error:
                    raise UsageError(f"{path}, line {number}: {error}") from None
                loaded += 1
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return loaded


def _objects(path: Path, lines: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(fields, dict):
            raise UsageError(f"{path}, line {number}: a call must be a JSON object")
        yield number, fields


def greeting(emulator: Emulator, loaded: int) -> str:
    """Return the message for the user at the start: the URL, the API key and the Airflow connection."""
    connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
    return (
        f"Retell emulator on {emulator.url} with {loaded} calls; stop it with Ctrl+C\n"
        f"API key: {emulator.api_key}\n"
        f"Airflow connection:\nexport AIRFLOW_CONN_RETELL_DEFAULT='{json.dumps(connection)}'\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until SIGINT or SIGTERM; return the exit code."""
    args = parser().parse_args(arguments)
    try:
        emulator = build(args)
        loaded = load_calls(emulator, args.calls) if args.calls else 0
        try:
            emulator.start()
        except OSError as error:
            raise UsageError(f"cannot listen on {args.host} port {args.port}: {error}") from None
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not args.quiet:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log = logging.getLogger("airflow_provider_retell.emulator")
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    try:
        _wait(greeting(emulator, loaded))
    finally:
        emulator.stop()
    return 0


def _wait(text: str) -> None:
    """Print *text* and wait for SIGINT or SIGTERM."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
        stop.wait()
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
