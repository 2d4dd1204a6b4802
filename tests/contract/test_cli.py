"""The command line of the contract."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract_account import FLAGS, account
from real_airflow import AirflowHome

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.contract.cli import main
from airflow_provider_retell.contract.resources import CHECKS
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.cli import load_options

READS = {check.name for check in CHECKS if not check.flags}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Any:
    with account() as emulator, no_waiting(emulator.clock.advance):
        monkeypatch.setenv("RETELL_KEY", emulator.api_key)
        yield emulator


def run(emulator: Emulator, *arguments: str) -> int:
    return main(["--api-key-env", "RETELL_KEY", "--base-url", emulator.url, *arguments])


def verdicts(printed: str) -> dict[str, str]:
    """Return the verdicts in the table by check."""
    rows = [
        line for line in printed.splitlines() if line.partition(" ")[0] in {check.name for check in CHECKS}
    ]
    return {row.split()[0]: row[row.index("  ") :].strip().partition("  ")[0] for row in rows}


LISTS = ("list-calls", "list-chats", "list-agents", "list-contacts")

# Requests about calls, chats and contacts that do not exist.
UNKNOWN = {"update-call", "update-chat", "stop-call", "delete-chat", "delete-contact"}


def test_without_flags_it_only_reads(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(emulator) == 0
    printed = capsys.readouterr().out
    found = verdicts(printed)
    assert {name for name, verdict in found.items() if verdict == "holds"} == READS
    assert {verdict for name, verdict in found.items() if name not in READS} == {"skipped"}
    assert f"{len(READS)} holds, 0 differs, 0 cannot tell, {len(CHECKS) - len(READS)} skipped" in printed
    for request in emulator.requests:
        assert request.method == "GET" or request.route in LISTS


def changing(emulator: Emulator) -> set[str]:
    """Return the endpoints that were requested and do more than read."""
    routes = {request.route or "" for request in emulator.requests}
    return {route for route in routes if route and not route.startswith(("get-", "list-"))}


@pytest.mark.parametrize(
    ("arguments", "routes"),
    [
        (("--call-id", "call_ended"), set()),
        (("--chat-id", "chat_done"), set()),
        (("--write",), UNKNOWN),
        (("--write", "--call-id", "call_ended"), {*UNKNOWN, "update-live-call"}),
        (("--write", "--chat-id", "chat_done", "--chat-id", "chat_open"), UNKNOWN),
        (("--from-number", "+14155550100", "--to-number", "+14155550123"), set()),
        (("--place-call",), set()),
        (
            ("--create-contact", "--place-call", "--from-number", "+14155550100"),
            {"create-contact", "update-contact", "delete-contact", "create-phone-call"},
        ),
        (("--delete-call-id", "call_delete"), {"delete-call"}),
        (("--delete-live-call-id", "call_live"), {"delete-call"}),
        (("--delete-live-call-id", "call_ended"), set()),
        (("--rerun-call-id", "call_rerun"), {"rerun-call-analysis"}),
        (("--tighten-call-id", "call_tighten"), {"update-call"}),
        (("--custom-attribute", "attr_one"), set()),
        (
            ("--draft-agent-id", "agent_one"),
            {"create-agent-version", "update-agent", "update-retell-llm", "delete-agent-version"},
        ),
        (("--run-test",), set()),
        (
            ("--test-agent-id", "agent_one"),
            {
                "create-test-case-definition",
                "update-test-case-definition",
                "delete-test-case-definition",
            },
        ),
        (("--create-contact",), {"create-contact", "update-contact", "delete-contact"}),
        (("--custom-field", "plan"), set()),
        (
            ("--import-contacts",),
            {"upload-contact-import-file", "create-contact-import", "create-contact", "delete-contact"},
        ),
        (
            ("--create-knowledge-base",),
            {
                "create-knowledge-base",
                "add-knowledge-base-sources",
                "delete-knowledge-base-source",
                "delete-knowledge-base",
            },
        ),
    ],
)
def test_a_flag_allows_what_it_names_and_nothing_else(
    emulator: Emulator, arguments: tuple[str, ...], routes: set[str]
) -> None:
    for record in (*emulator.calls.values(), *emulator.chats.values()):
        record["custom_attributes"] = {}
    before = {name: dict(record) for name, record in {**emulator.calls, **emulator.chats}.items()}
    assert run(emulator, *arguments) == 0
    assert changing(emulator) == routes
    assert emulator.placed == []
    changed = set(arguments) & {"call_delete", "call_live", "call_rerun", "call_tighten"}
    records = {**emulator.calls, **emulator.chats}
    after = {name: record for name, record in records.items() if name not in changed}
    assert after == {name: record for name, record in before.items() if name not in changed}
    assert emulator.knowledge_bases.keys() == {"knowledge_base_one"}
    assert emulator.test_cases.keys() == {"test_case_one"}
    assert emulator.agents["agent_one"].versions.keys() == {0}
    assert emulator.charged_test_runs == 1


def test_a_difference_that_the_package_handles_is_shown_and_no_failure(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.options.unknown_id_status = 404
    assert run(emulator) == 0
    printed = capsys.readouterr().out
    assert verdicts(printed)["calls.unknown_id"] == "differs (handled)"
    assert (
        "calls.unknown_id: differs (handled)\n  assumed:  get-call rejects an unknown id with 422." in printed
    )
    assert "Please open an issue" not in printed


def test_a_difference_that_the_package_relies_on_fails(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.edit_call("call_ended", end_timestamp=None)
    assert run(emulator) == 1
    printed = capsys.readouterr().out
    assert verdicts(printed)["calls.ended_calls_have_an_end"] == "differs"
    assert "instead:  CallEventTrigger misses calls without this field." in printed
    assert "Please open an issue and attach the report" in printed


def test_the_report_is_the_input_of_an_emulator(emulator: Emulator, folder: Path) -> None:
    emulator.options.metadata_semantics = "merge"
    emulator.options.unknown_id_status = 404
    assert run(emulator, "--write", "--call-id", "call_ended", "--json", "report.json") == 0
    report = json.loads((folder / "report.json").read_text())
    assert report["schema_version"] == 1
    assert report["flags"] == ["--call-id", "--write"]
    assert {check["name"] for check in report["checks"]} == {check.name for check in CHECKS}
    assert (
        load_options(folder / "report.json").items()
        >= {
            "metadata_semantics": "merge",
            "unknown_id_status": 404,
            "drops_null": False,
        }.items()
    )


def test_some_checks_can_be_selected(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(emulator, "--only", "organization.*", "--only", "calls.unknown_id") == 0
    found = verdicts(capsys.readouterr().out)
    expected = {check.name for check in CHECKS if check.name.startswith("organization.")}
    assert found.keys() == expected | {"calls.unknown_id"}


def test_the_list_of_checks_needs_no_connection(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    printed = capsys.readouterr().out
    assert "calls.unknown_id (reads only)\n  assumed:  get-call rejects an unknown id with 422.\n" in printed
    assert "calls.metadata_replaced (--write --call-id)" in printed
    for check in CHECKS:
        for text in (check.assumption, check.matters, check.otherwise, check.source):
            assert f"  {text}\n" in printed
    assert printed.count("\n") == 5 * len(CHECKS)


def test_the_help_names_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    for flag in FLAGS.values():
        assert flag.option in printed
        assert flag.help in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--api-key-env", "RETELL_NO_KEY"], "the environment variable RETELL_NO_KEY is not set"),
        (["--api-key-env", "RETELL_KEY", "--conn-id", "x"], "exclude each other"),
        (["--api-key-env", "RETELL_KEY", "--base-url", "http://example.com"], "the host must use https"),
        (["--api-key-env", "RETELL_KEY", "--only", "nothing"], "--only selects no check"),
        (["--conn-id", "retell_unknown"], "cannot read the connection 'retell_unknown'"),
    ],
)
def test_a_wrong_argument_is_explained_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    monkeypatch.setenv("RETELL_KEY", "key_private")
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert "key_private" not in captured.err + captured.out


def test_a_key_that_retell_rejects_fails(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETELL_KEY", "key_revoked")
    assert run(emulator, "--only", "calls.*", "--only", "organization.*") == 2


def test_an_unreachable_server_fails(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.faults.add(Fault.drop(), times=0)
    assert run(emulator, "--only", "organization.*") == 2
    assert "no check could be decided" in capsys.readouterr().err


def test_metadata_that_cannot_be_restored_fails_with_the_way_out(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    emulator.faults.add(Fault.status(500), route="update-call", after=2, times=0)
    arguments = ("--write", "--call-id", "call_ended", "--only", "calls.metadata_replaced")
    assert run(emulator, *arguments) == 2
    message = capsys.readouterr().err
    assert "metadata could not be restored" in message
    assert "run with --restore" in message
    assert run(emulator, *arguments) == 2
    assert "retell-contract-backup.json exists" in capsys.readouterr().err
    emulator.faults.clear()
    assert run(emulator, "--restore") == 0
    assert emulator.calls["call_ended"]["metadata"] == {"customer": "C-1001"}
    assert list(folder.iterdir()) == []
    assert run(emulator, *arguments) == 0


@pytest.mark.parametrize("record", [("--call-id", "call_ended"), ("--chat-id", "chat_done")])
def test_a_backup_that_cannot_be_written_stops_the_run_before_it_starts(
    emulator: Emulator, folder: Path, capsys: pytest.CaptureFixture[str], record: tuple[str, str]
) -> None:
    (folder / "backup.new").mkdir()
    arguments = ("--write", *record, "--backup", str(folder / "backup"))
    assert run(emulator, *arguments) == 2
    message = capsys.readouterr().err
    assert message == (
        f"--backup: {folder}/backup.new cannot be written (Is a directory). Nothing was sent: name another file\n"
    )
    assert emulator.count() == 0


@pytest.mark.parametrize("path", ["missing/report.json", "."])
def test_a_report_that_cannot_be_written_stops_the_run_before_it_starts(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    assert run(emulator, "--only", "organization.concurrency", "--json", path) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"--json: {path} cannot be written (")
    assert captured.err.endswith("). Nothing was sent: name another file\n")
    assert emulator.count() == 0


def test_a_run_that_is_interrupted_leaves_the_report_of_an_earlier_one(
    emulator: Emulator, folder: Path
) -> None:
    earlier = folder / "earlier.json"
    earlier.write_text("{}")
    for path in (earlier, folder / "new.json"):
        with interruption(emulator):
            assert run(emulator, "--only", "organization.concurrency", "--json", str(path)) == 130
    assert earlier.read_text() == "{}"
    assert list(folder.iterdir()) == [earlier]


@contextlib.contextmanager
def interruption(emulator: Emulator) -> Iterator[None]:
    """Interrupt the next request for the concurrency."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    emulator.faults.add(Fault.status(503), route="get-concurrency", times=1)
    with no_waiting(interrupt):
        yield


def test_an_interruption_that_leaves_an_object_fails_and_names_it(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.faults.add(Fault.status(400), route="delete-contact", times=0)
    checks = ("contacts.create_returns_contact", "organization.concurrency")
    selected = [word for name in checks for word in ("--only", name)]
    with interruption(emulator):
        assert run(emulator, "--create-contact", *selected) == 2
    message = capsys.readouterr().err
    assert "the number +1 202 555 0187 may still exist: delete it in Retell's dashboard\n" in message
    assert message.endswith("interrupted\n")


def test_an_object_that_may_exist_fails_and_is_named(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.faults.add(Fault.drop(), route="create-contact", times=1)
    checks = ("contacts.create_returns_contact", "organization.concurrency")
    selected = [word for name in checks for word in ("--only", name)]
    assert run(emulator, "--create-contact", *selected) == 2
    assert "the number +1 202 555 0187 may still exist" in capsys.readouterr().err


def test_retries_do_not_interrupt_the_table(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.faults.add(Fault.status(503), route="get-call", times=2)
    assert run(emulator, "--only", "calls.unknown_id") == 0
    assert emulator.count("get-call") == 3
    assert [record for record in caplog.records if "attempt" in record.getMessage()] == []


def test_the_connection_comes_from_the_environment(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
    assert main(["--only", "calls.unknown_id"]) == 0
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({**connection, "host": "https://example.com"}))
    assert main(["--conn-id", "other", "--base-url", emulator.url, "--only", "calls.unknown_id"]) == 0
    assert "1 holds" in capsys.readouterr().out


@pytest.mark.system
def test_the_connection_comes_from_the_database_of_airflow(tmp_path: Path) -> None:
    home = AirflowHome(tmp_path, tmp_path)
    with account() as emulator:
        connection = json.dumps({"conn_type": "retell", "host": emulator.url, "password": emulator.api_key})
        home.run(
            [
                sys.executable,
                "-m",
                "airflow",
                "connections",
                "add",
                "retell_stored",
                "--conn-json",
                connection,
            ]
        )
        module = [sys.executable, "-m", "airflow_provider_retell.contract"]
        printed = home.run([*module, "--conn-id", "retell_stored", "--only", "account.identity"])
    assert home.code == 0, printed
    assert verdicts(printed) == {"account.identity": "holds"}


@pytest.mark.slow
def test_the_module_can_be_run(tmp_path: Path) -> None:
    with account() as emulator:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "airflow_provider_retell.contract"),
                *("--api-key-env", "RETELL_KEY", "--base-url", emulator.url, "--only", "account.*"),
            ],
            env={**os.environ, "RETELL_KEY": emulator.api_key, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert verdicts(done.stdout)["account.identity"] == "holds"
    assert emulator.api_key not in done.stdout + done.stderr
