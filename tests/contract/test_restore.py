"""Changed metadata is restored, also after errors, interruptions and kills."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from broken_server import change, change_json, replace, without_filter
from contract_account import BY_NAME, RESTRICTED, account, check_account, settings, target

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.contract.backup import Backup
from airflow_provider_retell.contract.cli import main
from airflow_provider_retell.contract.clients import Clients
from airflow_provider_retell.contract.resources import CHECKS
from airflow_provider_retell.contract.runner import run_checks
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.responses import Response, json_response

METADATA = {"customer": "C-1001", "nested": {"a": [1, 2.5, None, "ä"]}, "flag": True}

ROOT = Path(__file__).parents[2]


@pytest.fixture
def emulator() -> Any:
    with account() as emulator, no_waiting(emulator.clock.advance):
        emulator.calls["call_ended"]["metadata"] = dict(METADATA)
        emulator.chats["chat_done"]["metadata"] = dict(METADATA)
        yield emulator


@pytest.mark.parametrize("semantics", ["replace", "merge"])
@pytest.mark.parametrize("drops_null", [False, True])
@pytest.mark.parametrize("kind", ["call", "chat"])
def test_metadata_is_restored_after_each_check(
    emulator: Emulator, kind: str, semantics: str, drops_null: bool
) -> None:
    options = emulator.options.chats if kind == "chat" else emulator.options
    options.metadata_semantics = semantics  # type: ignore[assignment]
    options.drops_null = drops_null
    metadata = emulator.chats["chat_done"] if kind == "chat" else emulator.calls["call_ended"]
    states: list[Any] = []
    with Clients(settings(emulator), RESTRICTED) as clients:
        run_checks(CHECKS, target(), clients.run, lambda _: states.append(dict(metadata["metadata"])))
    # Where Retell merges and keeps nulls, a key cannot be removed.
    rest = {"airflow_contract_check": None, "airflow_contract_check_2": None}
    assert len(states) == len(CHECKS)
    for state in states:
        assert {name: value for name, value in state.items() if name not in rest} == METADATA
        assert all(value is None for name, value in state.items() if name in rest)
        assert (semantics, drops_null) == ("merge", False) or state == METADATA


def test_metadata_is_restored_if_a_check_fails_half_way(emulator: Emulator) -> None:
    # The first reading succeeds, the update acts, and then nothing can be read for a while.
    emulator.faults.add(Fault.status(500), route="update-call", after=1, times=4)
    results = check_account(emulator, only=("calls.metadata_replaced",))
    assert results["calls.metadata_replaced"].finding.verdict == "cannot tell"
    assert emulator.calls["call_ended"]["metadata"] == METADATA


def test_metadata_is_restored_after_an_interruption(emulator: Emulator) -> None:
    class Interrupted(Clients):
        def run(self, client: Any, flow: Any) -> Any:
            result = super().run(client, flow)
            if emulator.calls["call_ended"]["metadata"] != METADATA:
                raise KeyboardInterrupt
            return result

    before = target()
    with Interrupted(settings(emulator), RESTRICTED) as clients, pytest.raises(KeyboardInterrupt):
        run_checks(CHECKS, before, clients.run)
    assert emulator.calls["call_ended"]["metadata"] == METADATA
    assert before.changes == {}


def test_the_original_is_kept_if_it_cannot_be_restored(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(500), route="update-call", after=2, times=0)
    at = target()
    results = check_account(emulator, only=("calls.metadata_replaced", "calls.null_is_kept"), at=at)
    assert set(results) == {"calls.metadata_replaced", "calls.null_is_kept"}
    assert at.changes == {("call", "call_ended"): {"metadata": METADATA}}
    assert at.failures == ["metadata could not be restored"]
    emulator.faults.clear()
    check_account(emulator, only=("calls.null_is_kept",), at=at)
    assert emulator.calls["call_ended"]["metadata"] == METADATA


def test_a_server_that_changes_the_restored_metadata_is_noticed(emulator: Emulator) -> None:
    at = target()
    change_json("get-call", lambda call, _: call["metadata"].pop("flag", None) and None)(emulator)
    # The state before the first change is what get-call showed then, so only a later difference counts.
    seen: list[Any] = []

    def drift(response: Response, _: Any) -> Response:
        seen.append(response)
        body = json.loads(response.body)
        body["metadata"] = {**body["metadata"], "drift": len(seen)}
        return Response(200, json.dumps(body).encode())

    change("get-call", drift)(emulator)
    check_account(emulator, only=("calls.update_returns_call",), at=at)
    assert at.failures == ["metadata could not be restored"]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"half": "\ud83d"}, "cannot restore"),
        ({"large": 2**60}, "cannot restore"),
        ({"long": "x" * 50_001}, "cannot restore"),
    ],
)
def test_metadata_that_cannot_be_restored_is_not_changed(
    emulator: Emulator, metadata: Any, reason: str
) -> None:
    emulator.edit_call("call_ended", metadata=metadata)
    finding = check_account(emulator, only=("calls.null_is_kept",))["calls.null_is_kept"].finding
    assert finding.verdict == "skipped"
    assert reason in finding.seen
    assert emulator.count("update-call") == 0


def test_masked_metadata_is_not_changed(emulator: Emulator) -> None:
    emulator.edit_call("call_ended", data_storage_setting="everything_except_pii")
    finding = check_account(emulator, only=("calls.null_is_kept",))["calls.null_is_kept"].finding
    assert (finding.verdict, emulator.count("update-call")) == ("skipped", 0)
    assert "masks" in finding.seen


def test_a_placed_call_is_stopped_even_if_the_checks_are_interrupted(emulator: Emulator) -> None:
    at = target()

    def interrupt(result: Any) -> None:
        if result.check.name == "calls.place_returns_call":
            raise KeyboardInterrupt

    with Clients(settings(emulator), RESTRICTED) as clients, pytest.raises(KeyboardInterrupt):
        run_checks(CHECKS, at, clients.run, interrupt)
    (call,) = emulator.placed
    assert call["call_status"] == "ended"


def test_a_placed_call_that_cannot_be_stopped_is_reported(emulator: Emulator) -> None:
    at = target()
    emulator.faults.add(Fault.status(500), route="stop-call", times=0)
    check_account(emulator, only=("calls.place_returns_call",), at=at)
    assert at.failures == [
        "a call to --to-number may still be ongoing: hang up, and look for the call in Retell's dashboard"
    ]


def test_the_call_of_a_batch_is_stopped_also_if_no_check_lists_it(emulator: Emulator) -> None:
    check_account(emulator, only=("calls.batch_returns_id",))
    (call,) = emulator.placed
    assert call["disconnection_reason"] == "manual_stopped"


def test_the_call_of_a_batch_that_is_not_listed_is_reported(emulator: Emulator) -> None:
    at = target()
    emulator.options.lists_registered = False
    results = check_account(emulator, only=("calls.batch_returns_id", "calls.batch_is_listed"), at=at)
    assert results["calls.batch_is_listed"].finding.verdict == "cannot tell"
    (failure,) = at.failures
    assert failure == (
        "the call of a batch to --to-number may still be ongoing: hang up, and look for the call in Retell's dashboard"
    )


def test_the_calls_of_others_are_not_stopped_if_the_filter_of_batches_is_ignored(emulator: Emulator) -> None:
    at = target()
    for name in ("batch_call_id", "metadata"):
        without_filter(name)(emulator)
    later = emulator.clock.now_ms() + 10**6
    emulator.add_calls([f"call_{n}" for n in range(20)], call_status="ongoing", start_timestamp=later)
    check_account(emulator, only=("calls.batch_returns_id",), at=at)
    assert emulator.count("stop-call") == 0
    assert len(at.failures) == 1


def test_a_storage_setting_that_stays_looser_is_reported(emulator: Emulator) -> None:
    at = target()
    accept_looser_settings(emulator)
    emulator.faults.add(Fault.status(500), route="update-call", after=1, times=0)
    results = check_account(emulator, only=("calls.storage_cannot_loosen",), at=at)
    assert results["calls.storage_cannot_loosen"].finding.verdict == "cannot tell"
    (failure,) = at.failures
    assert failure.endswith("may be less strict than before: set it again")


@pytest.mark.parametrize("fault", [Fault.drop_after(), Fault.slow(0)], ids=["lost", "not lost"])
def test_a_storage_setting_is_tightened_again(emulator: Emulator, fault: Fault) -> None:
    accept_looser_settings(emulator)
    emulator.faults.add(fault, route="update-call", times=4)
    check_account(emulator, only=("calls.storage_cannot_loosen",))
    assert emulator.calls["call_strict"]["data_storage_setting"] == "everything_except_pii"


def accept_looser_settings(emulator: Emulator) -> None:
    def wrap(_endpoint: Any) -> Any:
        def update(organization: Any, request: Any) -> Response:
            emulator.edit_call("call_strict", **request.body)
            return json_response(200, organization.calls["call_strict"])

        return update

    replace("update-call", wrap)(emulator)


@pytest.mark.parametrize("fault", [Fault.drop_after(), Fault.truncate()])
def test_the_engine_of_a_draft_is_restored_if_the_response_is_lost(emulator: Emulator, fault: Fault) -> None:
    changed: list[Any] = []
    change_json(
        "update-retell-llm", lambda llm, _: changed.append(llm.get("default_dynamic_variables")) and None
    )(emulator)
    # Retell does not document that the engine is deleted with the draft.
    emulator.faults.add(fault, route="update-retell-llm", times=4)
    check_account(emulator, only=("agents.engine_update_keeps_other_fields",))
    assert changed[0] == {"contract_check": "1"}
    assert changed[-1] == {}


@pytest.mark.parametrize(
    ("check", "route", "sentence"),
    [
        (
            "knowledge_bases.create_accepts_form",
            "delete-knowledge-base",
            "the knowledge base 'airflow contract check ",
        ),
        ("agents.fork_is_a_draft", "delete-agent-version", "forked from version 0 of the agent in --draft-"),
        (
            "simulations.update_keeps_other_fields",
            "delete-test-case-definition",
            "the test case 'contract check ",
        ),
        ("contacts.create_returns_contact", "delete-contact", "contact with the number +1 202 555 0187"),
    ],
)
@pytest.mark.parametrize("status", [422, 500])
def test_a_created_object_that_cannot_be_deleted_is_reported(
    emulator: Emulator, check: str, route: str, sentence: str, status: int
) -> None:
    at = target()
    emulator.faults.add(Fault.status(status), route=route, times=0)
    check_account(emulator, only=(check,), at=at)
    (failure,) = at.failures
    assert sentence in failure
    assert failure.endswith(" may still exist: delete it in Retell's dashboard")


def test_created_objects_are_deleted_after_an_interruption(emulator: Emulator) -> None:
    def interrupt(_result: Any) -> None:
        raise KeyboardInterrupt

    for name in (
        "knowledge_bases.added_sources_are_listed",
        "agents.fork_is_a_draft",
        "simulations.update_keeps_other_fields",
    ):
        at = target()
        with Clients(settings(emulator), RESTRICTED) as clients, pytest.raises(KeyboardInterrupt):
            run_checks([BY_NAME[name]], at, clients.run, interrupt)
        assert at.failures == []
    assert emulator.knowledge_bases.keys() == {"knowledge_base_one"}
    assert emulator.test_cases.keys() == {"test_case_one"}
    assert emulator.agents["agent_one"].versions.keys() == {0}


def test_an_engine_that_the_draft_shares_with_another_version_is_not_changed(emulator: Emulator) -> None:
    change_json("create-agent-version", lambda agent, _: agent["response_engine"].update(version=0))(emulator)
    name = "agents.engine_update_keeps_other_fields"
    finding = check_account(emulator, only=(name,))[name].finding
    assert (finding.verdict, emulator.count("update-retell-llm")) == ("skipped", 0)


def test_a_check_that_waits_too_long_gives_up(emulator: Emulator) -> None:
    emulator.options.knowledge_bases.indexing_seconds = 10**6
    with no_waiting() as waited:
        results = check_account(emulator, only=("knowledge_bases.indexing_completes",))
    finding = results["knowledge_bases.indexing_completes"].finding
    assert (finding.verdict, finding.seen) == ("cannot tell", "the knowledge base is still being indexed")
    assert 500 < waited.skipped < 700
    assert emulator.knowledge_bases.keys() == {"knowledge_base_one"}


# -- the file


def command(emulator: Emulator, folder: Path, *arguments: str) -> list[str]:
    return [
        *(sys.executable, "-m", "airflow_provider_retell.contract"),
        *("--api-key-env", "RETELL_KEY", "--base-url", emulator.url),
        *("--backup", str(folder / "backup.json"), *arguments),
    ]


def test_the_file_exists_only_while_metadata_is_changed(emulator: Emulator, tmp_path: Path) -> None:
    backup = Backup(tmp_path / "backup.json")
    saved: list[Any] = []

    def save(changes: Any) -> None:
        backup.save(changes)
        if backup.path.exists():
            saved.append(backup.load())
            assert stat.S_IMODE(backup.path.stat().st_mode) == 0o600

    check_account(emulator, only=("calls.null_is_kept",), at=target(on_change=save))
    assert saved == [{("call", "call_ended"): {"metadata": METADATA}}]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]x", "5", '{"kind": "call"}', '[{"kind": "call"}]', "[1]"])
def test_another_file_is_no_backup(tmp_path: Path, text: str) -> None:
    path = tmp_path / "backup.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="is not a backup"):
        Backup(path).load()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_killed_leaves_nothing_changed(tmp_path: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "RETELL_KEY": "key_emulator", "PYTHONPATH": str(ROOT)}
    with account() as emulator:
        emulator.calls["call_ended"]["metadata"] = dict(METADATA)
        emulator.faults.add(Fault.hang(), route="get-call", after=2, times=1)
        checks = ("--write", "--call-id", "call_ended", "--only", "calls.metadata_replaced")
        process = subprocess.Popen(
            command(emulator, tmp_path, *checks),
            env=environment,
            cwd=tmp_path,
            # Programs in the background ignore SIGINT, and so would this one.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            deadline = time.monotonic() + 60
            while emulator.count("get-call") < 3:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.02)
            assert emulator.calls["call_ended"]["metadata"] != METADATA
            process.send_signal(number)
            assert process.wait(120) == (-number if number == signal.SIGKILL else 130)
        finally:
            process.kill()
        if number == signal.SIGKILL:
            refused = subprocess.run(
                command(emulator, tmp_path, *checks),
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert refused.returncode == 2
            assert "Run with --restore" in refused.stderr
            restored = subprocess.run(command(emulator, tmp_path, "--restore"), env=environment, check=False)
            assert restored.returncode == 0
        assert emulator.calls["call_ended"]["metadata"] == METADATA
        assert list(tmp_path.iterdir()) == []


def test_restore_reports_what_it_cannot_restore(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETELL_KEY", emulator.api_key)
    path = tmp_path / "backup.json"
    Backup(path).save({("call", "call_unknown"): {"metadata": {}}})
    arguments = command(emulator, tmp_path, "--restore")[3:]
    assert main(arguments) == 2
    assert "still in" in capsys.readouterr().err
    path.write_text("[")
    assert main(arguments) == 2
    assert "is not a backup" in capsys.readouterr().err
    path.unlink()
    assert main(arguments) == 2
    assert "No such file" in capsys.readouterr().err
