"""Serve a real Airflow with all example DAGs and an emulated Retell, on this machine only (`make ui`).

`airflow standalone` would be shorter, but its log servers listen on every network interface. This script starts each
component separately, without log servers: all components share the disk with the logs.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType

import psutil  # comes with Airflow

from playground import FAILS, Changes, Playground
from sandbox import AIRFLOW_VERSION, API_KEY, ROOT, SAMPLE_CALLS, airflow, environment, home

COMPONENTS = {
    "api-server": airflow("api-server"),
    "scheduler": airflow("scheduler", "--skip-serve-logs"),
    "dag-processor": airflow("dag-processor"),
    "triggerer": airflow("triggerer", "--skip-serve-logs"),
}
START_TIMEOUT = 300
STOP_TIMEOUT = 15


class Airflow:
    """The components of one Airflow, each with its own log file."""

    def __init__(self, airflow_home: Path, env: dict[str, str], port: int) -> None:
        self.home = airflow_home
        self.env = env
        self.url = f"http://localhost:{port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """Return the log file of a component."""
        return self.home / f"{name}.log"

    def prepare(self, name: str, *arguments: str) -> None:
        """Run a command that must finish before the components start."""
        with self.log(name).open("wb") as log:
            done = subprocess.run(airflow(*arguments), env=self.env, stdout=log, stderr=log, check=False)
        if done.returncode:
            self.fail(name, f"`airflow {' '.join(arguments)}` failed")

    def command(self, name: str) -> list[str]:
        """Return the command of a component."""
        return COMPONENTS[name]

    def start(self, *names: str) -> None:
        """Start the named components, or all."""
        for name in names or COMPONENTS:
            with self.log(name).open("wb") as log:
                # In new sessions, so that a Ctrl-C in the terminal reaches them only through stop().
                self.running[name] = subprocess.Popen(
                    self.command(name),
                    env=self.env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def check(self) -> None:
        """Exit if a component has stopped."""
        for name, process in self.running.items():
            if process.poll() is not None:
                self.fail(name, f"the {name} has stopped (exit code {process.returncode})")

    def healthy(self) -> bool:
        """Return whether the API server reports all components as healthy."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
        except (OSError, ValueError):
            return False
        return all(
            (health.get(part) or {}).get("status") == "healthy"
            for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")
        )

    def stop(self, *names: str) -> None:
        """Stop the named components, or all, with all their child processes."""
        triggerer = None if names else self.running.get("triggerer")
        stopping = [self.running.pop(name) for name in names or [*self.running]]
        family: list[psutil.Process] = []
        for process in stopping:
            try:
                parent = psutil.Process(process.pid)
                family += [parent, *parent.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        for process in stopping:
            process.terminate()
        left, limit = family, time.monotonic() + STOP_TIMEOUT
        while left and time.monotonic() < limit:
            _, left = psutil.wait_procs(left, timeout=0.3)
            for process in left:
                # A triggerer whose child has ended often waits ten more seconds. Kill it only if everything stops:
                # otherwise it must still record its end in the database.
                if triggerer is not None and process.pid == triggerer.pid and _childless(process):
                    process.kill()
        for straggler in left:
            straggler.kill()
        psutil.wait_procs(left, timeout=STOP_TIMEOUT)

    def fail(self, name: str, reason: str) -> None:
        """Print the end of the component's log and the reason, and exit."""
        log = self.log(name)
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
        sys.exit("\n".join([*tail, "", f"error: {reason}. The whole log: {log.relative_to(ROOT)}"]))


def _childless(process: psutil.Process) -> bool:
    try:
        return all(child.status() == psutil.STATUS_ZOMBIE for child in process.children())
    except psutil.NoSuchProcess:
        return False


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Handle every stop signal like a Ctrl-C."""
    raise KeyboardInterrupt


def serve(playground: Playground, port: int, parse_seconds: int) -> None:
    """Run Airflow until interrupted."""
    airflow_home, emulator = playground.folder, playground.emulator
    env = environment(airflow_home) | playground.environment()
    env |= {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",  # no login; only this machine can connect
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(parse_seconds),
        # On a busy machine, the API server can take longer than the default of 5 s. It rejects a repeated request.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    }
    server = Airflow(airflow_home, env, port)
    login = {"host": server.url, "login": "admin", "password": "any"}
    try:
        print(f"Preparing Airflow {AIRFLOW_VERSION} ...", flush=True)
        server.prepare("db-migrate", "db", "migrate")
        # In the database and not in the environment, so that Airflow's UI shows them.
        for kind, values in (
            ("connections", playground.connections() | {"airflow_api": {"conn_type": "http", **login}}),
            ("variables", playground.variables()),
        ):
            path = airflow_home / f"{kind}.json"
            path.write_text(json.dumps(values), encoding="utf-8")
            overwrite = ("--overwrite",) if kind == "connections" else ()
            server.prepare(kind, kind, "import", *overwrite, str(path))

        print("Starting its components ...", flush=True)
        server.start()
        deadline = time.monotonic() + START_TIMEOUT
        while not server.healthy():
            server.check()
            if time.monotonic() > deadline:
                server.fail("api-server", f"Airflow was not healthy after {START_TIMEOUT} seconds")
            time.sleep(1)
        print(
            f"""
  Airflow     {server.url}/dags   no login; open an example and press Trigger
              Every run succeeds, except those of {FAILS}: two of its rows cannot be written, on purpose.
              No example starts by its schedule. call_events and score_ended_calls also start when calls end.
  Connections {server.url}/connections   and Variables: all that the examples need
  Files       {playground.files.relative_to(ROOT)}   reports, exports and snapshots
  Logs        {airflow_home.relative_to(ROOT)}
  Retell      {emulator.url}   emulated, e.g.
              curl -H 'Authorization: Bearer {API_KEY}' {emulator.url}/v2/get-call/{next(iter(SAMPLE_CALLS))}

Ctrl-C stops everything. Calls that are placed, ended, updated or deleted appear here:
""",
            flush=True,
        )
        changes = Changes(playground)
        while True:
            server.check()
            for line in changes.lines():
                print(line, flush=True)
            time.sleep(1)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave components running
        print("\nStopping ...", flush=True)
        server.stop()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8080, help="port of Airflow's UI (default: 8080)")
    parser.add_argument("--home", default="ui", help="name of the folder in .cache (default: ui)")
    parser.add_argument(
        "--parse-seconds", type=int, default=30, help="seconds between parses of an example (default: 30)"
    )
    arguments = parser.parse_args()
    port = arguments.port

    if tuple(map(int, AIRFLOW_VERSION.split(".")[:2])) < (3, 1):
        sys.exit(
            f"error: `make ui` needs Airflow 3.1 or newer, not {AIRFLOW_VERSION}: run it without AIRFLOW=."
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(f"error: port {port} is in use: choose another, for example make ui PORT={port + 1}")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        playground = Playground(home(arguments.home))
        with playground.emulator:
            playground.prepare()
            serve(playground, port, arguments.parse_seconds)
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main()
