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

from airflow_provider_retell.emulator.arguments import parser as parser
from airflow_provider_retell.emulator.calls.options import Lifecycle
from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.emulator import Emulator
from airflow_provider_retell.emulator.options import Options
from airflow_provider_retell.emulator.simulations.simulator import Simulation
from airflow_provider_retell.emulator.undocumented import (
    as_option,
    keywords,
    options_in_report,
)
from airflow_provider_retell.emulator.webhooks import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class UsageError(Exception):
    """An error in the arguments or the calls file, with a message for the user."""


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
            simulation=Simulation(queue, simulated),
            test_run_credit=args.test_run_credit,
            **keywords(
                Options,
                {
                    **_undocumented(args),
                    "contacts.tags": {tag: tag for tag in args.contact_tag},
                    "knowledge_bases.indexing_seconds": args.indexing_seconds,
                },
            ),
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
    return options


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
        f"Retell emulator on {emulator.url} with {loaded:,} {'call' if loaded == 1 else 'calls'}; stop it with Ctrl+C\n"
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
