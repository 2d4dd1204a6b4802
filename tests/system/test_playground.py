"""`make ui`: every example runs out of the box, and the console shows what happens to the calls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from stack import VERSION, free_port

from playground import FAILS, FROM
from sandbox import ROOT, home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if VERSION < (3, 1):
    pytest.skip("`make ui` needs Airflow 3.1 or newer", allow_module_level=True)

EXAMPLES = sorted(path.stem for path in (ROOT / "example_dags").glob("*.py"))
if VERSION < (3, 4):
    EXAMPLES.remove("redial_until_answered")  # has no DAG there
SECONDS = 600
"""The limit of all waits. Busy machines are slow."""
CONF = {"score_ended_calls": {"call_ids": ["call_5d2e01"]}}
# These two change or read the configuration of all agents, so they run one after the other.
FIRST = "nightly_simulations"


class Ui:
    """A running `make ui`.

    :param output: the file with its output.
    """

    def __init__(self, port: int, output: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.output = output
        self._headers = {"Content-Type": "application/json"}

    def log_in(self) -> None:
        """Get a token for the REST API."""
        self._headers["Authorization"] = f"Bearer {self.request('GET', '/auth/token')['access_token']}"

    def request(self, method: str, path: str, **body: Any) -> Any:
        """Send a request to Airflow and return the response."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.url + path, data, self._headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=90) as answer:
            return json.load(answer)

    def text(self) -> str:
        """Return the output so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def trigger(self, dag_id: str) -> None:
        """Trigger a DAG as the dialog of the UI does: unpause it, and use the present as the logical date.

        With SQLite, requests at the same time as those of tasks can fail because the database is locked. Then a person
        presses the button again.
        """

        def triggered() -> bool:
            self.request("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", is_paused=False)
            runs = f"/api/v2/dags/{dag_id}/dagRuns"
            if "by_hand" not in [run["dag_run_id"] for run in self.request("GET", runs)["dag_runs"]]:
                now, conf = datetime.now(timezone.utc).isoformat(), CONF.get(dag_id, {})
                self.request("POST", runs, dag_run_id="by_hand", logical_date=now, conf=conf)
            return True

        wait_until(f"{dag_id} is triggered", triggered, self)

    def state(self, dag_id: str) -> str:
        """Return the state of the run."""
        return str(self.request("GET", f"/api/v2/dags/{dag_id}/dagRuns/by_hand")["state"])


def wait_until(what: str, condition: Any, ui: Ui) -> None:
    """Wait for *condition*; fail with the output of `make ui` if it takes too long."""
    limit = time.monotonic() + SECONDS
    while True:
        try:
            if condition():
                return
        except (OSError, urllib.error.URLError, ValueError):
            pass
        assert time.monotonic() < limit, f"not within {SECONDS} s: {what}\n\n{ui.text()}"
        time.sleep(1)


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    port, folder = free_port(), home("ui-test")
    shutil.rmtree(folder)
    ui = Ui(port, tmp_path_factory.mktemp("ui") / "output.txt")
    with ui.output.open("wb") as output:
        process = subprocess.Popen(
            # Each parse takes a second or more for all examples, which do not change.
            [
                *(sys.executable, "scripts/ui.py", "--port", str(port)),
                *("--home", "ui-test", "--parse-seconds", "300"),
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until("it runs", lambda: "Ctrl-C stops everything" in ui.text(), ui)
        ui.log_in()
        wait_until("all DAGs are there", lambda: dags(ui) == EXAMPLES, ui)
        yield ui
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def dags(ui: Ui) -> list[str]:
    """Return the ids of the DAGs that Airflow knows."""
    return sorted(dag["dag_id"] for dag in ui.request("GET", "/api/v2/dags?limit=100")["dags"])


def test_every_example_runs_out_of_the_box_and_one_fails_on_purpose(ui: Ui) -> None:
    ui.trigger(FIRST)
    wait_until("the simulations end", lambda: ui.state(FIRST) in ("success", "failed"), ui)
    others = [dag_id for dag_id in EXAMPLES if dag_id != FIRST]
    for dag_id in others:
        ui.trigger(dag_id)

    def states() -> dict[str, str]:
        return {dag_id: ui.state(dag_id) for dag_id in EXAMPLES}

    wait_until("all runs end", lambda: set(states().values()) <= {"success", "failed"}, ui)
    assert states() == {dag_id: "failed" if dag_id == FAILS else "success" for dag_id in EXAMPLES}

    # No run is empty, and every scheduled DAG has a schedule without runs.
    for dag_id in EXAMPLES:
        tasks = ui.request("GET", f"/api/v2/dags/{dag_id}/dagRuns/by_hand/taskInstances?limit=100")
        assert "success" in {task["state"] for task in tasks["task_instances"]}, dag_id
        assert ui.request("GET", f"/api/v2/dags/{dag_id}")["next_dagrun_run_after"] is None, dag_id

    # The run that fails shows two failed rows of one organization, and the other organization is up to date.
    path = f"/api/v2/dags/{FAILS}/dagRuns/by_hand/taskInstances/enrich_calls/listMapped"
    tasks = ui.request("GET", path)["task_instances"]
    assert [task["state"] for task in tasks] == ["success", "failed"]
    manifests = [
        ui.request(
            "GET",
            f"/api/v2/dags/{FAILS}/dagRuns/by_hand/taskInstances/enrich_calls/xcomEntries/manifest?map_index={index}",
        )["value"]
        for index in (0, 1)
    ]
    assert [(m["updated"], m["invalid"], m["not_found"]) for m in manifests] == [(2, 0, 0), (2, 1, 1)]

    # Every run was triggered by hand, or by an ended call.
    for dag_id in EXAMPLES:
        runs = ui.request("GET", f"/api/v2/dags/{dag_id}/dagRuns?limit=100")["dag_runs"]
        assert {run["run_type"] for run in runs} <= {"manual", "asset_triggered"}, dag_id

    # The console shows placed calls and changed metadata, and no phone numbers.
    text = ui.text()
    assert "ongoing" in text
    assert "not_connected (dial_no_answer)" in text
    assert '"follow_up": "gold customer at risk"' in text
    assert FROM not in text
