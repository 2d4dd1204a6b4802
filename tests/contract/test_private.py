"""Neither the table nor the report has anything private, whatever the server says."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from broken_server import change
from contract_account import CHATS, FLAGS, NAMED, RESTRICTED, VALUES, check_account, fill, target

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.contract.cli import main
from airflow_provider_retell.contract.resources import CHECKS
from airflow_provider_retell.contract.results import line, report, summary
from airflow_provider_retell.emulator import Emulator, Fault, Lifecycle
from airflow_provider_retell.emulator.responses import Response, json_response
from airflow_provider_retell.emulator.routing import Request

SECRET = "zebra-umbrella"
KEY = "key_zebra_umbrella_0123456789"
"""Everything private contains the words of this text, or is one of NUMBERS."""

NUMBERS = ("4155550177", "4155550188")

PRIVATE: dict[str, Any] = {
    "metadata": {f"{SECRET} key": SECRET, "customer": f"{SECRET}@example.com"},
    "retell_llm_dynamic_variables": {SECRET: SECRET},
    "collected_dynamic_variables": {SECRET: SECRET},
    "custom_sip_headers": {SECRET: SECRET},
    "agent_id": f"agent_{SECRET}",
    "agent_name": SECRET,
    "transcript": SECRET,
    # Nothing listens on port 1.
    "recording_url": f"http://127.0.0.1:1/{SECRET}/a.wav?{SECRET}={SECRET}",
    "call_analysis": {"call_summary": SECRET, "custom_analysis_data": {SECRET: SECRET}},
    "from_number": f"+1{NUMBERS[0]}",
    "to_number": f"+1{NUMBERS[1]}",
    f"{SECRET} field": SECRET,
}


def private_account() -> Emulator:
    emulator = Emulator(
        api_key=KEY,
        custom_attributes=VALUES["--custom-attribute"],
        quotas=None,
        lifecycle=Lifecycle(answer=10**7),
    )
    emulator.organization.name = SECRET
    fill(emulator, **PRIVATE)
    emulator.options.knowledge_bases.indexing_seconds = 0
    emulator.edit_agent(
        "agent_one", agent_name=SECRET, llm={"general_prompt": SECRET}, webhook_url=f"https://{SECRET}"
    )
    source = {"type": "text", "title": SECRET}
    emulator.edit_knowledge_base(
        "knowledge_base_one",
        knowledge_base_name=SECRET,
        knowledge_base_sources=[source],
        error_messages=[SECRET],
    )
    emulator.edit_test_case(
        "test_case_one", name=SECRET, user_prompt=SECRET, dynamic_variables={SECRET: SECRET}, metrics=[SECRET]
    )
    return emulator


def words(text: str) -> list[str]:
    """Return the private words in *text*."""
    lowered = text.lower()
    ids = [
        name
        for name in (
            *NAMED,
            *CHATS,
            "chat_failed",
            "call_rerun",
            "call_delete",
            "call_tighten",
            "attr_one",
            "_one",
        )
        if name in lowered
    ]
    private = ("zebra", "umbrella", KEY, RESTRICTED, *NUMBERS, "127.0.0.1", "localhost")
    return ids + [word for word in private if word.lower() in lowered]


def run_command(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETELL_KEY", KEY)
    monkeypatch.setenv("RESTRICTED", RESTRICTED)
    monkeypatch.chdir(tmp_path)
    arguments = ["--api-key-env", "RETELL_KEY", "--base-url", emulator.url, "--json", "report.json"]
    values = {**VALUES, "--from-number": (f"+1{NUMBERS[0]}",), "--to-number": (f"+1{NUMBERS[1]}",)}
    values.pop("--use-up-quota")
    for name, given in values.items():
        arguments += [word for value in given for word in ([name, value] if FLAGS[name].metavar else [name])]
    with no_waiting():
        main(arguments)
    return tmp_path / "report.json"


def test_the_command_prints_and_reports_nothing_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with private_account() as emulator:
        path = run_command(emulator, tmp_path, monkeypatch)
    printed = capsys.readouterr()
    text = path.read_text()
    assert words(text) == []
    assert words(printed.out + printed.err) == []
    content = json.loads(text)
    assert content["server"] == "another server"
    assert len(content["checks"]) == len(CHECKS)
    # The search would find something.
    assert words(json.dumps(PRIVATE)) != []
    undeclared = next(check for check in content["checks"] if check["name"] == "calls.fields_are_declared")
    assert undeclared["seen"] == "[..]"


def echo(response: Response, request: Request) -> Response:
    """An error that quotes the request and adds fields and values of its own."""
    body = {"message": f"{SECRET} {KEY} {request.body}", f"{SECRET}": 1, "error": request.target}
    new = json_response(max(response.status, 400), body)
    new.headers = {"Retry-After": SECRET, "RateLimit-Limit": SECRET, "X-RateLimit-Limiter": SECRET}
    return new


def nonsense(value: Any) -> Any:
    return lambda response, _: json_response(200, value)


HOSTILE = {
    "echo": echo,
    "null": nonsense(None),
    "text": nonsense(SECRET),
    "array": nonsense([[SECRET]]),
    "numbers": nonsense(
        {"items": [1, {"call_id": 5}], "has_more": SECRET, "total": SECRET, "metadata": [SECRET]}
    ),
    "wrong types": nonsense(
        {
            "call_id": SECRET,
            "call_status": SECRET,
            "items": [
                {"call_id": SECRET, "call_status": [SECRET], "end_timestamp": SECRET, "metadata": SECRET}
            ],
            "pagination_key": {SECRET: SECRET},
            "metadata": {"airflow_contract_check": {SECRET: SECRET}},
            "call_analysis": {SECRET: SECRET},
        }
    ),
    "another call": nonsense({"call_id": SECRET, "call_status": "ended", "items": [], "call_analysis": {}}),
    "not json": lambda *_: Response(200, SECRET.encode()),
    "deep": lambda *_: Response(200, b"[" * 100_000),
    "not utf-8": lambda *_: Response(200, b'{"call_id": "\xff", "items": "\xff"}'),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_server_gets_nothing_private_into_a_finding(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with private_account() as emulator, no_waiting(emulator.clock.advance):
        for route in emulator._state.router.names:
            change(route, HOSTILE[kind])(emulator)
        at = target(without=("--use-up-quota",))
        results = list(check_account(emulator, at=at).values())
    content = report(results, "https://api.retellai.com", (), "2026-01-01")
    table = "\n".join(line(result, 10) for result in results)
    for text in (json.dumps(content), table, summary(results), *at.failures):
        assert words(text) == []
    assert " in the check" not in table
    assert content["server"] == "Retell"


@pytest.mark.parametrize("status", [200, 302, 400, 402, 404, 410, 429, 503])
def test_a_server_that_always_answers_the_same_gets_no_error_out_of_a_check(status: int) -> None:
    with private_account() as emulator, no_waiting(emulator.clock.advance):
        emulator.faults.add(Fault.status(status, body={"message": SECRET}), times=0)
        at = target(without=("--use-up-quota",))
        results = check_account(emulator, at=at)
    table = "\n".join(line(result, 10) for result in results.values())
    assert " in the check" not in table
    assert words("\n".join([table, *at.failures])) == []
    # With these two, Retell may have created something.
    assert (at.failures == []) is (status not in (200, 503))


def test_a_lost_connection_is_a_finding() -> None:
    with private_account() as emulator, no_waiting(emulator.clock.advance):
        emulator.faults.add(Fault.drop(), times=0)
        finding = check_account(emulator, only=("calls.unknown_id",))["calls.unknown_id"].finding
    assert (finding.verdict, finding.seen) == ("cannot tell", "no response (dropped)")
