"""A complete Airflow: API server, scheduler, DAG processor, triggerer and workers as processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime, timezone
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from sqlalchemy import create_engine, text

import ui
from sandbox import AIRFLOW_VERSION, ROOT, airflow, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VERSION = tuple(map(int, AIRFLOW_VERSION.split(".")[:2]))
NEWEST = VERSION >= (3, 3)
PLUGIN = "from airflow_provider_retell.plugin import RetellPlugin\n"
SECONDS = 300
"""The limit of all waits. Busy machines are slow."""
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


class Stack(ui.Airflow):
    """The components of one Airflow, with access to its REST API and its database.

    :param home: its AIRFLOW_HOME.
    :param dags: files and folders with DAGs.
    :param database: user, host, port and name of a PostgreSQL database; None for SQLite.
    :param broker: the URL of a Redis for Celery's tasks; None for LocalExecutor.
    :param path: the path of the URL that it is served below.
    :param env: more environment variables.
    """

    def __init__(
        self,
        home: Path,
        dags: Iterable[Path],
        database: str | None = None,
        broker: str | None = None,
        path: str = "",
        **env: str,
    ) -> None:
        port = free_port()
        url = f"http://127.0.0.1:{port}{path}"
        for path in dags:
            if path.is_dir():
                shutil.copytree(path, home / "dags", dirs_exist_ok=True)
            else:
                (home / "dags").mkdir(exist_ok=True)
                shutil.copy(path, home / "dags")
        own = environment(home) | {
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "secret_of_this_test_run_0123456789",
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            # On a busy machine, the API server can take longer than the default of 5 s. It rejects a repeated request.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            # The files of the DAGs do not change. Slow parsing is no failure.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
            # Airflow detects killed components after seconds, not minutes.
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "6",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
        }
        stored = f"sqlite:///{home / 'airflow.db'}"
        if database:
            stored = f"postgresql+psycopg2://{database}"
            own["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = stored
        if broker:
            own["AIRFLOW__CORE__EXECUTOR"] = "CeleryExecutor"
            own["AIRFLOW__CELERY__BROKER_URL"] = broker
            own["AIRFLOW__CELERY__RESULT_BACKEND"] = f"db+{stored}"
        super().__init__(home, own | env, port)
        self.url = url
        self.database = database
        self._port = port
        self._sessions: set[int] = set()
        self._user = ""
        self._engine = create_engine(stored)

    def add_plugin(self) -> None:
        """Add the package's plugin if the package is not installed, but only on the path."""
        if not entry_points(group="airflow.plugins", name="retell"):
            (self.home / "plugins").mkdir()
            (self.home / "plugins" / "retell.py").write_text(PLUGIN)

    def add_users(self, **roles: str) -> None:
        """Replace the administrator without a login by these users, with their names as passwords."""
        passwords = self.home / "passwords.json"
        passwords.write_text(json.dumps({name: name for name in roles}))
        self.env |= {
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
                f"{name}:{role}" for name, role in roles.items()
            ),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        }
        self._user = next(iter(roles))

    def connect_itself(self, conn_id: str) -> None:
        """Add a connection to this Airflow's REST API."""
        self.api(
            "POST",
            "/connections",
            connection_id=conn_id,
            conn_type="http",
            host=self.url,
            password=self.token(),
        )

    def start_all(self, *workers: str) -> None:
        """Start all components, and Celery workers with these names. Return when they are healthy."""
        self.start(*ui.COMPONENTS, *workers)
        self.wait("all components are healthy", self.healthy)
        for component in self.family():
            for each in component.net_connections(kind="inet"):
                assert each.status != psutil.CONN_LISTEN or each.laddr.ip in LOOPBACK, (component, each)

    def start(self, *names: str) -> None:
        """Start components as leaders of their sessions."""
        super().start(*names)
        self._sessions |= {process.pid for process in self.running.values()}

    def command(self, name: str) -> list[str]:
        """Return the command of a component, or of the Celery worker with that name."""
        if name in ui.COMPONENTS:
            return super().command(name)
        options = ["--skip-serve-logs", "--concurrency", "2", "--celery-hostname", f"{name}@%h"]
        return airflow("celery", "worker", *options, "--pid", str(self.home / f"{name}.pid"))

    def fail(self, name: str, reason: str) -> Any:
        """Fail the test with the last lines of a component's log."""
        pytest.fail(f"{self.log(name).read_text(errors='replace')[-8000:]}\n\n{reason}")

    def kill(self, name: str) -> None:
        """Kill a component and its child processes."""
        process = self.running.pop(name)
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        for child in family:
            child.kill()
        process.wait(10)
        psutil.wait_procs(family, timeout=10)

    def end(self) -> None:
        """Kill all components, because their own ends take seconds. Fail if a process or an open port remains."""
        for name in [*self.running]:
            self.kill(name)
        self._engine.dispose()
        left = self.family()
        for process in left:
            process.kill()
        assert not left, left
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", self._port)), "the API server's port is still open"

    def family(self) -> list[psutil.Process]:
        """Return all processes of this Airflow."""
        found = []
        for process in psutil.process_iter():
            try:
                # The API server and the workers set a process title, which overwrites their environment.
                if os.getsid(process.pid) in self._sessions or process.environ().get("AIRFLOW_HOME") == str(
                    self.home
                ):
                    found.append(process)
            except (ProcessLookupError, psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the database."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def events(self) -> Counter[str]:
        """Count the asset events of each call and chat."""
        extras = [parsed(extra) for (extra,) in self.rows("select extra from asset_event")]
        payloads = [extra.get("payload", extra) for extra in extras]
        return Counter(
            record[f"{noun}_id"]
            for payload in payloads
            for noun in ("call", "chat")
            for record in payload.get(f"{noun}s", ())
        )

    def states(self, run_id: str) -> list[str | None]:
        """Return the states of a run's tasks."""
        return [s for (s,) in self.rows(f"select state from task_instance where run_id = '{run_id}'")]

    def logs(self, run_id: str) -> str:
        """Return the logs of a run's tasks."""
        paths = (self.home / "logs").rglob("*.log")
        return "".join(path.read_text(errors="replace") for path in paths if f"run_id={run_id}" in str(path))

    def wait(self, what: str, condition: Callable[[], Any]) -> None:
        """Wait for *condition*. Fail after :data:`SECONDS`, or if a component stops."""
        limit = time.monotonic() + SECONDS
        while not condition():
            self.check()
            if time.monotonic() > limit:
                tasks = Counter(self.rows("select dag_id, run_id, task_id, state from task_instance"))
                component = "scheduler" if "scheduler" in self.running else [*self.running][-1]
                self.fail(component, f"not within {SECONDS} s: {what}; the tasks: {dict(tasks)}")
            time.sleep(0.3)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of the response."""
        request = urllib.request.Request(self.url + path, body or None, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=60
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def answers(self) -> bool:
        """Return True if the REST API responds."""
        try:
            return self.request("GET", "/api/v2/version")[0] == 200
        except OSError:
            return False

    def token(self, user: str = "") -> str:
        """Return a token for the REST API, for the first user if there are users."""
        user = user or self._user
        if user:
            login = json.dumps({"username": user, "password": user}).encode()
            _, body = self.request("POST", "/auth/token", login, **{"Content-Type": "application/json"})
        else:
            _, body = self.request("GET", "/auth/token")
        assert b"access_token" in body, body
        return str(json.loads(body)["access_token"])

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Send a request to the REST API and return the JSON of the response."""
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        status, said = self.request(
            method, f"/api/v2{path}", json.dumps(body).encode() if body else b"", **headers
        )
        assert status in (200, 201), said
        return json.loads(said)

    def run(self, dag_id: str, run_id: str, **conf: Any) -> None:
        """Start a DAG run as soon as Airflow has parsed the DAG."""
        query = f"select 1 from dag where dag_id = '{dag_id}'"
        self.wait(f"the DAG {dag_id} is there", lambda: self.rows(query))
        self.api("POST", f"/dags/{dag_id}/dagRuns", dag_run_id=run_id, conf=conf, logical_date=None)

    def wait_for_run(self, run_id: str) -> str:
        """Wait until a run has ended, and return its state."""
        query = f"select state from dag_run where run_id = '{run_id}' and state in ('success', 'failed')"
        self.wait(f"run {run_id} ends", lambda: self.rows(query))
        return str(self.rows(query)[0][0])


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def parsed(value: Any) -> Any:
    """Return a JSON value of the database. PostgreSQL's driver has decoded it already."""
    return json.loads(value) if isinstance(value, str) else value


def moment(value: Any) -> float:
    """Return a time of the database as epoch seconds. SQLite stores it as text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return float((value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp())
