"""Events and alerts in a whole Airflow: API server, scheduler, DAG processor and triggerer, each a process.

Not part of a plain run, as it takes minutes: ``make system-test``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import ui
from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import AIRFLOW_VERSION, ROOT, connection, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = tuple(map(int, AIRFLOW_VERSION.split(".")[:2]))
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(VERSION < (3, 0), reason="Airflow 2 has no events of this kind"),
]
newest = pytest.mark.skipif(VERSION < (3, 3), reason="needs Airflow 3.3")

PLUGIN = "from airflow_provider_retell.webhook.plugin import RetellWebhookPlugin\n"


class Stack(ui.Airflow):
    """The components of one Airflow, and what its database says."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shutil.copytree(ROOT / "tests/e2e/event_dags", home / "dags")
        for name in ("call_events.py", "phone_alert.py"):
            shutil.copy(ROOT / "example_dags" / name, home / "dags")
        env = environment(home) | {
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "2",
            "AIRFLOW__API_AUTH__JWT_SECRET": "secret_of_this_test_run_0123456789",
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "6",
            "AIRFLOW__RETELL__WEBHOOK_ENABLED": "True",
            "AIRFLOW__RETELL__WEBHOOK_ASSET": "retell_webhook_calls",
            "AIRFLOW__RETELL__WEBHOOK_AIRFLOW_CONN_ID": "this_airflow",
            "AIRFLOW_VAR_ALERT_FROM": "+14155550101",
            "AIRFLOW_VAR_ALERT_TO": "+14155550102",
        }
        super().__init__(home, env, port)
        self.url = f"http://127.0.0.1:{port}"

    def fail(self, name: str, reason: str) -> Any:
        pytest.fail(f"{self.log(name).read_text(errors='replace')[-8000:]}\n\n{reason}")

    def kill(self, name: str) -> None:
        """End a component and what it started, without a word."""
        process = self.running.pop(name)
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        for child in family:
            child.kill()
        process.wait(10)
        psutil.wait_procs(family, timeout=10)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.home / 'airflow.db'}?mode=ro", uri=True, timeout=30) as database:
            return database.execute(query).fetchall()

    def events(self) -> Counter[str]:
        """Count the asset events of each call."""
        extras = [json.loads(extra) for (extra,) in self.rows("select extra from asset_event")]
        return Counter(call["call_id"] for extra in extras for call in extra.get("payload", extra)["calls"])

    def wait(self, what: str, condition: Callable[[], Any], seconds: float) -> None:
        """Wait for *condition*; fail if it takes longer than *seconds* or a component stops."""
        limit = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > limit:
                tasks = self.rows("select dag_id, run_id, task_id, map_index, state from task_instance")
                runs = self.rows("select dag_id, run_id, state from dag_run")
                self.fail("triggerer", f"not within {seconds} s: {what}; {self.events()}; {runs}; {tasks}")
            time.sleep(0.3)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path, body or None, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=20
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def token(self) -> str:
        _, body = self.request("GET", "/auth/token")
        return str(json.loads(body)["access_token"])

    def run(self, dag_id: str, run_id: str, **conf: Any) -> None:
        """Start a run."""
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        body = {"dag_run_id": run_id, "conf": conf, "logical_date": None}
        status, said = self.request(
            "POST", f"/api/v2/dags/{dag_id}/dagRuns", json.dumps(body).encode(), **headers
        )
        assert status == 200, said

    def states(self, run_id: str) -> list[str | None]:
        return [s for (s,) in self.rows(f"select state from task_instance where run_id = '{run_id}'")]

    def logs(self, run_id: str) -> str:
        return "".join(
            p.read_text() for p in (self.home / "logs").rglob("*.log") if f"run_id={run_id}" in str(p)
        )


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.add_call(call_id="call_throttled")
        emulator.calls["call_throttled"]["end_timestamp"] -= 3_600_000
        for index in range(6):
            emulator.add_call(call_id=f"call_{index}", call_status="ongoing", metadata={"kept": 1})
        yield emulator


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("airflow"))
    from importlib.metadata import entry_points

    if not entry_points(group="airflow.plugins", name="retell_webhook"):  # not installed, only on the path
        (stack.home / "plugins").mkdir()
        (stack.home / "plugins" / "retell.py").write_text(PLUGIN)
    stack.prepare("db-migrate", "db", "migrate")
    try:
        stack.start()
        stack.wait("all components are healthy", stack.healthy, 120)
        # In the database, where users have them.
        known = {
            "retell_default": json.loads(connection(emulator.url, emulator.api_key)),
            "this_airflow": {"conn_type": "http", "host": stack.url, "password": stack.token()},
        }
        (stack.home / "connections.json").write_text(json.dumps(known))
        stack.prepare("connections", "connections", "import", str(stack.home / "connections.json"))
        stack.wait("the DAGs are there", lambda: len(stack.rows("select dag_id from dag")) >= 3, 60)
        yield stack
    finally:
        stack.stop()


def end(emulator: Emulator, call_id: str) -> None:
    call = emulator.calls[call_id]
    call["end_timestamp"] = int(time.time() * 1000)
    call["call_status"] = "ended"
    call["disconnection_reason"] = "user_hangup"


def enriched(emulator: Emulator, *call_ids: str) -> bool:
    expected = {"kept": 1, "follow_up": False, "seen_by": "call_events"}
    return all(emulator.calls[call_id]["metadata"] == expected for call_id in call_ids)


@newest
def test_no_call_is_missed_or_fires_twice_when_the_triggerer_is_killed(
    stack: Stack, emulator: Emulator
) -> None:
    def stored() -> list[tuple[Any, ...]]:
        return stack.rows("select value from asset_state_store")

    stack.wait("it polls", lambda: emulator.count("list-calls") >= 1, 90)
    end(emulator, "call_0")
    stack.wait("the DAG has enriched the call", lambda: enriched(emulator, "call_0"), 90)
    stack.wait("it is noted", lambda: stored() and '"fired": {"' in stored()[0][0], 30)

    stack.kill("triggerer")
    seen = emulator.count("list-calls")
    for index in (1, 2, 3):
        end(emulator, f"call_{index}")
    time.sleep(12)  # longer than the poll interval: it is really gone
    assert emulator.count("list-calls") == seen
    stack.start("triggerer")

    stack.wait("what ended meanwhile", lambda: enriched(emulator, "call_1", "call_2", "call_3"), 120)
    end(emulator, "call_4")
    stack.wait("what ends now", lambda: enriched(emulator, "call_4"), 90)
    seen = emulator.count("list-calls")
    stack.wait("two more polls", lambda: emulator.count("list-calls") >= seen + 2, 60)
    assert stack.events() == Counter([f"call_{index}" for index in range(5)])
    stack.wait("all runs end", lambda: "running" not in str(stack.rows("select state from dag_run")), 60)
    assert {state for (state,) in stack.rows("select state from dag_run where dag_id = 'call_events'")} == {
        "success"
    }


@pytest.mark.skipif(VERSION >= (3, 3), reason="the newest has a test of its own")
def test_a_call_that_ends_starts_the_dag(stack: Stack, emulator: Emulator) -> None:
    stack.wait("it polls", lambda: emulator.count("list-calls") >= 1, 90)
    end(emulator, "call_0")
    stack.wait("the DAG has enriched the call", lambda: enriched(emulator, "call_0"), 90)
    assert stack.events()["call_0"] == 1


def test_a_signed_webhook_starts_a_dag(stack: Stack, emulator: Emulator) -> None:
    body = json.dumps(
        {"event": "call_ended", "call": {"call_id": "call_hook", "call_status": "ended"}}
    ).encode()
    moment = str(int(time.time() * 1000))

    def post(key: str) -> int:
        digest = hmac.new(key.encode(), body + moment.encode(), hashlib.sha256).hexdigest()
        return stack.request(
            "POST", "/retell/webhook", body, **{"X-Retell-Signature": f"v={moment},d={digest}"}
        )[0]

    assert post("key_forged") == 401
    assert stack.request("POST", "/retell/webhook", body)[0] == 401
    assert stack.request("GET", "/retell/webhook")[0] == 401
    assert stack.events()["call_hook"] == 0
    assert [post(emulator.api_key) for _ in range(10)] == [204] * 10  # by turns to both processes
    assert stack.events()["call_hook"] == 1
    query = "select state from dag_run where dag_id = 'webhook_calls'"
    stack.wait("its DAG has run", lambda: stack.rows(query) == [("success",)], 90)
    log = stack.log("api-server").read_text(errors="replace")
    assert "Webhook: call_ended of call call_hook" in log
    assert emulator.api_key not in log


def test_a_failure_calls_once_and_stays_the_failure(stack: Stack, emulator: Emulator) -> None:
    def alerts() -> list[dict[str, Any]]:
        return [call for call in emulator.placed if call["to_number"] == "+14155550102"]

    def ended(run_id: str) -> bool:
        states = stack.states(run_id)
        return len(states) == 3 and all(state in ("failed", "success") for state in states)

    stack.run("phone_alert", "loud", fail=True)
    stack.wait("the tasks fail", lambda: ended("loud"), 90)
    assert stack.states("loud") == ["failed"] * 3
    stack.wait("somebody is called", alerts, 20)
    told = alerts()[0]["retell_llm_dynamic_variables"]
    assert (told["dag_id"], told["task_id"], told["run_id"]) == ("phone_alert", "load", "loud")
    assert told["reason"] == "the nightly load of loud has failed"

    emulator.faults.add(Fault.status(401), route="list-calls", times=0)
    stack.run("phone_alert", "mute", fail=True)
    stack.wait("the tasks fail", lambda: ended("mute"), 90)
    emulator.faults.clear()
    assert stack.states("mute") == ["failed"] * 3
    assert len(alerts()) == 1
    log = stack.logs("mute")
    assert "could not be loaded" in log
    assert "+14155550102" not in log + stack.logs("loud")


@newest
def test_a_missed_deadline_calls_from_the_triggerer(stack: Stack, emulator: Emulator) -> None:
    stack.run("late", "late_1")
    stack.wait(
        "somebody is called", lambda: any(c["to_number"] == "+14155550103" for c in emulator.placed), 90
    )
    (told,) = [c["retell_llm_dynamic_variables"] for c in emulator.placed if c["to_number"] == "+14155550103"]
    assert (told["dag_id"], told["run_id"], told["reason"]) == ("late", "late_1", "late is late")


@newest
def test_a_throttled_task_is_tried_again_when_retell_asked(stack: Stack, emulator: Emulator) -> None:
    emulator.faults.add(
        Fault.status(429, headers={"Retry-After": "1234"}), route="update-call", call_id="call_throttled"
    )
    stack.run("throttled", "throttled_1")
    stack.wait("it is up for retry", lambda: stack.states("throttled_1") == ["up_for_retry"], 90)
    query = "select retry_delay_override, retry_reason from task_instance where run_id = 'throttled_1'"
    assert stack.rows(query) == [(1234.0, "Retell asked to wait 1234 s")]
