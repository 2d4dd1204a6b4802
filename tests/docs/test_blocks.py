"""Every block of code in the documentation is run or checked, or generated from a file that other tests run."""

from __future__ import annotations

import argparse
import asyncio
import configparser
import contextlib
import json
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from airflow.cli.cli_parser import get_parser
from airflow.models.connection import Connection
from pages import PAGES, ROOT, Block, blocks, commands
from task_forker import Forker

from airflow_provider_retell.api.simulations.response_engine import Engine
from airflow_provider_retell.api.simulations.sync import check_test_cases
from airflow_provider_retell.contract.cli import parser as contract_parser
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.emulator.cli import parser as emulator_parser
from airflow_provider_retell.get_provider_info import CONFIG
from airflow_provider_retell.hooks.connection import read_connection
from airflow_provider_retell.operators import DraftAgentVersionOperator, UpdateCallOperator
from airflow_provider_retell.params.test_cases import as_test_cases
from airflow_provider_retell.webhook.sender import parser as sender_parser

BLOCKS = [block for page in PAGES for block in blocks(page) if not block.generated]
PYTHON = [block for block in BLOCKS if block.kind == "python"]

newest = pytest.mark.skipif(
    tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 3),
    reason="the pages are written for the newest Airflow",
)


def of_kind(*kinds: str) -> Any:
    found = [block for block in BLOCKS if block.kind in kinds]
    assert found, f"no page has a block of {kinds}"
    return pytest.mark.parametrize("block", found, ids=str)


def test_every_block_is_of_a_checked_kind() -> None:
    checked = ("python", "console", "json", "text", "ini", "yaml")
    assert not [str(block) for block in BLOCKS if block.kind not in checked]
    assert len(PYTHON) > 20


# -- Python


@pytest.fixture
def emulator(
    retell_emulator: Emulator, retell_connection: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Emulator:
    """An emulator for the code on the pages, which runs in a temporary directory."""
    retell_emulator.add_call(call_id="call_1", metadata={"tier": "gold"})
    retell_emulator.add_chat(chat_id="chat_1", metadata={"kept": 1})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETELL_BASE_URL", retell_emulator.url)  # of the vendor's SDK
    return retell_emulator


def check_migrating(names: dict[str, Any], emulator: Emulator) -> None:
    for task in ("enrich", "enrich_with_hook"):
        names[task].function([{"call_id": "call_1", "tier": f"by {task}"}])
        assert emulator.calls["call_1"]["metadata"] == {"tier": f"by {task}"}


def check_hook(names: dict[str, Any], emulator: Emulator) -> None:
    assert emulator.count("list-calls", status=200) == 1
    assert asyncio.run(names["durations"](["call_1"])) == [emulator.calls["call_1"]["duration_ms"]]


def check_retries(_names: dict[str, Any], emulator: Emulator) -> None:
    assert emulator.count("get-call", status=200) == 1


def check_erase(names: dict[str, Any], emulator: Emulator) -> None:
    calls_of = names["forget_customer"]().get_task("calls_of").python_callable
    ours = emulator.add_call(from_number="+14155550101")["call_id"]
    assert calls_of("C-1001") == [ours]


def check_chats(_names: dict[str, Any], emulator: Emulator) -> None:
    assert emulator.chats["chat_1"]["metadata"] == {"kept": 1, "tier": "gold"}
    assert emulator.chats["chat_1"]["overrides"] == {"name": "Ada"}


# Further checks after the blocks of a page have run.
CHECKS: dict[str, Callable[[dict[str, Any], Emulator], None]] = {
    "docs/chats.md": check_chats,
    "docs/hook.md": check_hook,
    "docs/migrating.md": check_migrating,
    "docs/retries.md": check_retries,
    "docs/erase.md": check_erase,
}


@newest
@pytest.mark.parametrize(
    "page", sorted({str(block.page.relative_to(ROOT)) for block in PYTHON if "def test_" not in block.code})
)
def test_the_python_blocks_of_a_page_run(
    page: str, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run the blocks in order: later blocks may use the imports of earlier ones."""
    names: dict[str, Any] = {"__name__": "a_page"}
    if page == "docs/migrating.md":
        pytest.importorskip("airflow.providers.http", reason="the HTTP provider is in the dev group only")
    for block in PYTHON:
        if block.page == ROOT / page and "def test_" not in block.code:
            exec(compile(block.code, str(block), "exec"), names)
    CHECKS.get(page, lambda *_: None)(names, emulator)


@newest
@pytest.mark.slow
def test_the_tests_on_the_pages_pass(tmp_path: Path) -> None:
    tests = [block for block in PYTHON if "def test_" in block.code]
    assert len(tests) > 3
    failed = {}
    with Forker("tests.docs.page_tests") as forker:
        for number, block in enumerate(tests):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "test_it.py").write_text(block.code)
            forker.start(folder=str(folder))
            assert forker.status() == 0, block
            output = (folder / "output").read_text()
            if f"\n{block.code.count('def test_')} passed" not in output:
                failed[str(block)] = output
    assert failed == {}


# -- commands


def check_make(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) \?=", makefile, flags=re.MULTILINE))
    for word in words:
        name, equals, _ = word.partition("=")
        assert name in (variables if equals else targets), word


def check_python(words: list[str]) -> None:
    if words[:2] == ["-m", "airflow_provider_retell.emulator"]:
        emulator_parser().parse_args(words[2:])
    elif words[:2] == ["-m", "airflow_provider_retell.contract"]:
        contract_parser().parse_args(words[2:])
    elif words[:2] == ["-m", "airflow_provider_retell.webhook"]:
        sender_parser().parse_args(words[2:])
    else:
        option, code = words
        assert option == "-c"
        compile(code, "a page", "exec")


def check_export(words: list[str]) -> None:
    (word,) = words
    name, _, value = word.partition("=")
    if name == "AIRFLOW_CONN_THIS_AIRFLOW":
        assert Connection.from_json(value).conn_type == "http"
        return
    assert name == "AIRFLOW_CONN_RETELL_DEFAULT"
    check_connection(Connection.from_json(value) if value.startswith("{") else Connection(uri=value))


def check_echo(words: list[str]) -> None:
    call, arrow, file = words
    assert (arrow, file) == (">", "calls.jsonl")
    Emulator().add_call(**json.loads(call))


def check_pip(words: list[str]) -> None:
    assert words == ["install", "."]


def check_airflow(words: list[str]) -> None:
    # Airflow's own parser knows its commands and options.
    with contextlib.redirect_stderr(sys.stdout):
        get_parser().parse_args(words)


def check_curl(words: list[str]) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-X", dest="method")
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    request = parser.parse_args(words)
    with Emulator() as emulator:
        emulator.add_call(call_id="call_1", call_status="ongoing")
        url = request.url.replace("http://127.0.0.1:8787", emulator.url)
        assert url.startswith(f"{emulator.url}/_emulator/")
        assert requests.request(request.method, url, data=request.body, timeout=10).status_code < 300


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "airflow": check_airflow,
    "curl": check_curl,
    "echo": check_echo,
    "export": check_export,
    "make": check_make,
    "pip": check_pip,
    "python": check_python,
}


@of_kind("console")
def test_commands_and_their_options_exist(block: Block) -> None:
    for command, *words in commands(block):
        COMMANDS[command](words)


# -- values


def check_connection(connection: Any) -> None:
    assert connection.conn_type == "retell"
    connection.conn_id = "of_a_page"
    with pytest.MonkeyPatch.context() as patch:
        warned: list[str] = []
        patch.setattr(
            "airflow_provider_retell.hooks.connection.log.warning", lambda text, *_: warned.append(text)
        )
        read_connection(connection)
    assert not warned


@of_kind("json")
def test_json_is_a_valid_connection_call_or_result(block: Block, emulator: Emulator) -> None:
    value = json.loads(block.code)
    if "conn_type" in value:
        check_connection(Connection.from_json(block.code))
    elif "updated" in value:
        emulator.calls["call_1"]["metadata"] = {"customer": "C-1001"}
        operator = UpdateCallOperator(
            task_id="update", call_id="call_1", metadata={"tier": "gold"}, metadata_mode="merge"
        )
        result = operator.execute({"ti": SimpleNamespace(xcom_push=lambda **_: None)})
        assert value == {name: result[name] for name in value}
        left_out = {"agent_id", "disconnection_reason", "start_timestamp", "end_timestamp", "duration_ms"}
        assert result.keys() - value.keys() == left_out
    elif "created" in value:
        emulator.add_agent(agent_id=value["agent_id"])
        for _ in range(value["version"] - 1):
            emulator.add_agent_version(value["agent_id"], published=True)
        draft = DraftAgentVersionOperator(
            task_id="draft", agent_id=value["agent_id"], llm={"general_prompt": "New"}
        )
        assert value == draft.execute({"ti": SimpleNamespace(xcom_push=lambda **_: None)})
    else:
        Emulator().add_call(**value)


@of_kind("text")
def test_text_is_a_connection_uri(block: Block) -> None:
    check_connection(Connection(uri=block.code.strip()))


@of_kind("yaml")
def test_yaml_is_a_valid_file_of_connections_or_test_cases(block: Block, tmp_path: Path) -> None:
    from airflow.secrets.local_filesystem import load_connections_dict

    if block.page.name == "simulations.md":
        (tmp_path / "cases.yaml").write_text(block.code)
        cases = as_test_cases(str(tmp_path / "cases.yaml"), "test_cases")
        assert check_test_cases(cases, Engine("retell-llm", "llm_1"))
        return
    (tmp_path / "connections.yaml").write_text(block.code)
    for connection in load_connections_dict(str(tmp_path / "connections.yaml")).values():
        check_connection(connection)


@of_kind("ini")
def test_ini_has_existing_options_with_their_defaults(block: Block) -> None:
    read = configparser.ConfigParser(interpolation=None)
    read.read_string(block.code)
    (section,) = read.sections()
    if section == "secrets":
        assert read["secrets"]["backend"].endswith("Backend")
        json.loads(read["secrets"]["backend_kwargs"])
        return
    assert section == "retell"
    assert set(read["retell"]) <= CONFIG["options"].keys()
    # Options that are commented out show their defaults.
    for name, value in re.findall(r"^# (\w+) = (.*)$", block.code, flags=re.MULTILINE):
        assert CONFIG["options"][name]["default"] == value
