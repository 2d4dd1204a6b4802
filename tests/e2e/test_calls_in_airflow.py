"""Placing, listing and erasing calls in a real Airflow, and the example DAGs that do so."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from real_airflow import AirflowHome

from airflow_provider_retell.emulator import Clock, Emulator, Fault
from sandbox import AIRFLOW_VERSION, ROOT, airflow

pytestmark = pytest.mark.system

DAY = 86_400
NOTE, PHONE, BAD_PHONE = "zebra-umbrella-note", "+14155550187", "415-555-0198"
HAS_STORE = tuple(map(int, AIRFLOW_VERSION.split(".")[:2])) >= (3, 3)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """A home with the DAGs of the examples and of the tests."""
    folder = tmp_path_factory.mktemp("airflow")
    dags = folder / "dags"
    dags.mkdir()
    for source in ("example_dags", "tests/dags"):
        for file in (ROOT / source).glob("*.py"):
            shutil.copy(file, dags)
    return AirflowHome(
        folder,
        dags,
        speed=30,
        AIRFLOW_VAR_RETELL_FROM_NUMBER="+14155550100",
        AIRFLOW_VAR_RETELL_CALLS=str(folder / "calls"),
        AIRFLOW_VAR_RETELL_RECORDINGS=str(folder / "recordings"),
        AIRFLOW_VAR_RETELL_CHATS=str(folder / "chats"),
        AIRFLOW_VAR_RETELL_RETENTION=str(folder / "retention"),
        PRIVATE_NOTE=NOTE,
        PRIVATE_PHONE=PHONE,
        PRIVATE_BAD_PHONE=BAD_PHONE,
    )


def run_dag(home: AirflowHome, dag_id: str, emulator: Emulator, date: str, **conf: Any) -> str:
    home.connect(emulator)
    return home.test(dag_id, date, **conf)


CLEAR = """
import sys
from airflow.models.taskinstance import TaskInstance, clear_task_instances
from airflow.utils.session import create_session
from airflow_provider_retell.operators.task_try import tries_before_clear

class Task:
    retries = 1

with create_session() as session:
    for _ in range(2):
        ti = session.query(TaskInstance).filter(TaskInstance.dag_id == "place_twice").one()
        print("NUMBERS", ti.try_number, ti.max_tries, tries_before_clear(ti, Task))
        ti.state = "success"
        clear_task_instances([ti], session)
        print("NUMBERS", ti.try_number, ti.max_tries, tries_before_clear(ti, Task))
        ti.try_number += 1  # as the scheduler does when it queues the next try
        session.flush()
"""


def test_a_retry_finds_the_call_that_the_first_try_placed(home: AirflowHome) -> None:
    with Emulator(clock=Clock(speed=30)) as emulator:
        # The wait after the call fails, and only another try can continue it.
        emulator.faults.add(Fault.garbage(), route="get-call")
        printed = run_dag(home, "place_twice", emulator, "2026-11-21")
        assert home.code == 0, printed
        assert len(emulator.placed) == 1
        # With a state store, the second try needs no search.
        assert emulator.count("list-calls") == (0 if HAS_STORE else 1), printed
    assert "placed by an earlier try" in printed

    if AIRFLOW_VERSION.startswith("2."):
        home.run(airflow("dags", "reserialize"))  # as a scheduler does, and `dags test` in Airflow 3
    printed = home.run([sys.executable, "-W", "ignore", "-c", CLEAR])
    assert home.code == 0, printed
    found = [tuple(map(int, line.split()[1:])) for line in printed.splitlines() if line.startswith("NUMBERS")]
    # try_number, max_tries and the generation: a retry keeps it, a clear sets it to the number of the last try.
    assert found == [(2, 1, 0), (2, 3, 2), (3, 3, 2), (3, 4, 3)]


def test_nothing_private_is_left_behind(home: AirflowHome) -> None:
    with Emulator() as emulator:
        printed = run_dag(home, "private_calls", emulator, "2026-11-21")
        assert {call["to_number"] for call in emulator.placed} == {PHONE}
        assert len(emulator.placed) == 4
        assert len([call for call in emulator.placed if call["metadata"]["note"] == NOTE]) == 4
    assert printed.count("must be a phone number in E.164 format") >= 2
    assert home.leaks(printed, NOTE, PHONE, BAD_PHONE, without="dags") == []


@pytest.mark.example
def test_the_example_that_copies_calls(home: AirflowHome) -> None:
    with Emulator() as emulator:
        hour = 1_795_341_600_000  # 2026-11-22T10:00Z
        for call_id, end in (("early", hour - 31 * 60_000), ("late", hour - 60_000), ("now", hour + 1)):
            emulator.add_call(
                call_id=call_id, call_status="ended", start_timestamp=end - 1000, end_timestamp=end
            )
        printed = run_dag(home, "sync_calls_to_files", emulator, "2026-11-22T11:00:00+00:00")
        assert home.code == 0, printed
    (file,) = (home.folder / "calls").rglob("*.jsonl")
    assert [json.loads(line)["call_id"] for line in file.read_text().splitlines()] == ["late", "now"]
    assert file.relative_to(home.folder / "calls") == Path("2026-11-22/10.jsonl")
    assert "2 calls from" in printed
    assert emulator.calls["now"]["transcript"] not in file.read_text()


@pytest.mark.example
def test_the_example_that_archives_recordings(home: AirflowHome) -> None:
    with Emulator() as emulator:
        end = 1_795_395_600_000  # 2026-11-23T01:00Z
        for call_id, status in (("answered", "ended"), ("unanswered", "not_connected")):
            emulator.add_call(
                call_id=call_id, call_status=status, end_timestamp=end - 1, start_timestamp=end - 1001
            )
        printed = run_dag(home, "archive_recordings", emulator, "2026-11-23T01:00:00+00:00")
        assert home.code == 0, printed
        links = [call["recording_url"] for call in emulator.calls.values() if "recording_url" in call]
    folder = home.folder / "recordings"
    names = ["answered.transcript.json", "answered.wav", "reports"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "answered.wav").read_bytes().startswith(b"RIFF")
    [report] = (folder / "reports").iterdir()
    outcomes = {line["call_id"]: line["outcome"] for line in map(json.loads, report.read_text().splitlines())}
    assert outcomes == {"answered": "archived", "unanswered": "no_recording"}
    assert "1 calls archived, 0 were there, 1 without a recording" in printed
    assert links
    assert home.leaks(printed, "call-files", without="dags") == []


@pytest.mark.example
def test_the_example_that_enriches_chats(home: AirflowHome) -> None:
    with Emulator() as emulator:
        hour = 1_795_341_600_000  # 2026-11-22T10:00Z
        for chat_id, end, metadata in (
            ("old", hour - 31 * 60_000, {}),
            ("new", hour + 1, {}),
            ("done", hour + 2, {"topic": "x"}),
        ):
            emulator.add_chat(
                chat_id=chat_id,
                start_timestamp=end - 1000,
                end_timestamp=end,
                metadata={"kept": 1, **metadata},
            )
        printed = run_dag(home, "enrich_chats", emulator, "2026-11-22T11:00:00+00:00")
        assert home.code == 0, printed
        agent_id = emulator.chats["new"]["agent_id"]
        assert emulator.chats["new"]["metadata"] == {"kept": 1, "topic": "delivery", "handled_by": agent_id}
        assert emulator.chats["done"]["metadata"] == {"kept": 1, "topic": "x"}
        assert emulator.chats["old"]["metadata"] == {"kept": 1}
        assert emulator.count("update-chat") == 1
    (report,) = (home.folder / "chats").rglob("*_report.jsonl")
    assert [json.loads(line)["chat_id"] for line in report.read_text().splitlines()] == ["new"]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.example
def test_the_example_that_erases_calls(home: AirflowHome, dry_run: bool) -> None:
    with Emulator() as emulator:
        for call_id, days in (("young", 1), ("old", 100), ("very_old", 1000)):
            end = int(time.time() - days * DAY) * 1000
            emulator.add_call(
                call_id=call_id, call_status="ended", start_timestamp=end - 1000, end_timestamp=end
            )
        conf = {} if dry_run else {"dry_run": False}
        printed = run_dag(home, "retention", emulator, f"2026-11-{20 + dry_run}", **conf)
        assert home.code == 0, printed
        left = {call_id: call["data_storage_setting"] for call_id, call in emulator.calls.items()}
        if dry_run:
            assert left == dict.fromkeys(("young", "old", "very_old"), "everything")
            assert "would be deleted" in printed
        else:
            assert left == {"young": "everything", "old": "basic_attributes_only"}


@pytest.mark.example
def test_the_example_that_places_calls(home: AirflowHome) -> None:
    with Emulator(clock=Clock(speed=30), outcomes={"+14155550103": "dial_no_answer"}) as emulator:
        printed = run_dag(home, "reminder_calls", emulator, "2026-11-20")
        assert home.code == 0, printed
        assert {call["metadata"]["customer"]: call["to_number"] for call in emulator.placed} == {
            "C-1001": "+14155550101",
            "C-1002": "+14155550102",
            "C-1003": "+14155550103",
        }
        assert len(emulator.placed) == 3
        assert {call["call_status"] for call in emulator.placed} == {"ended", "not_connected"}
        assert emulator.placed[0]["retell_llm_dynamic_variables"]["name"] in ("Ada", "Grace", "Edsger")
    # Only the DAG's code has the customers' numbers.
    stored = home.tables() | {"the output": printed}
    for number in ("+14155550101", "+14155550102", "+14155550103"):
        assert [name for name, text in stored.items() if number in text] in ([], ["dag_code"])
