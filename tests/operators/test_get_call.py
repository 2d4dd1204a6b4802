"""GetCallOperator: the result and the file."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tasks import run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators.call import GetCallOperator

NOTE = "Ada's private note"


@pytest.fixture
def ended(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_call(
        call_id="call_1", call_type="web_call", call_status="ended", metadata={"note": NOTE}
    )


def test_get_returns_ids_status_and_keys_only(ended: dict[str, Any]) -> None:
    result = run_try(GetCallOperator(task_id="a_task", call_id="{{ which }}"), which="call_1")
    assert (result["call_id"], result["call_status"]) == ("call_1", "ended")
    assert result["metadata_keys"] == ["note"]
    for private in (NOTE, ended["transcript"], ended["recording_url"], ended["access_token"]):
        assert private not in str(result)


@pytest.mark.usefixtures("ended")
def test_call_is_written_with_the_connection_of_the_storage(private_memory: Any) -> None:
    path = "memory://bucket/call.json"
    run_try(GetCallOperator(task_id="a_task", call_id="call_1", path=path, path_conn_id="private_storage"))
    assert json.loads(private_memory.cat_file("/bucket/call.json"))["call_id"] == "call_1"


def test_get_writes_the_whole_call_without_its_access_token(
    ended: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "calls" / "call.json"
    result = run_try(GetCallOperator(task_id="a_task", call_id="call_1", path=str(path)))
    assert result["path"] == str(path)
    whole = json.loads(path.read_text())
    # The emulator replaces the links with signed ones.
    assert {name: value for name, value in whole.items() if not name.endswith("_url")} == {
        name: ended[name] for name in whole if not name.endswith("_url")
    }
    assert {"transcript", "recording_url", "call_analysis", "metadata"} < set(whole)
    assert ended["access_token"] not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["call.json"]
    assert NOTE not in f"{result} {caplog.text}"


def test_get_of_an_unknown_call_writes_nothing(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match=r"call_none.*422"):
        run_try(GetCallOperator(task_id="a_task", call_id="call_none", path=str(tmp_path / "call.json")))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("to_file", [False, True])
def test_get_returns_the_cost_and_the_requested_fields_of_the_analysis(
    ended: dict[str, Any], tmp_path: Path, to_file: bool
) -> None:
    path = str(tmp_path / "call.json") if to_file else None
    arguments: dict[str, Any] = {"task_id": "a_task", "call_id": "call_1", "path": path}
    assert "analysis" not in run_try(GetCallOperator(**arguments))
    result = run_try(GetCallOperator(**arguments, analysis_fields=["score", "user_sentiment", "missing"]))
    assert result["analysis"] == {"score": 0.9, "user_sentiment": "Positive", "missing": None}
    cost = ended["call_cost"]
    assert result["call_cost"] == {"cents": cost["combined_cost"], "seconds": cost["total_duration_seconds"]}
