"""The command line."""

from __future__ import annotations

import contextlib
import json
import operator
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Options, cli
from airflow_provider_retell.emulator.cli import main
from airflow_provider_retell.emulator.undocumented import undocumented_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_retell.emulator import Emulator

COMMAND = [sys.executable, "-m", "airflow_provider_retell.emulator"]
ROOT = str(Path(cli.__file__).parents[2])


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command line in a process of its own, which the test may end itself."""
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(url: str, body: Any = None, method: str | None = None, key: str = "key_cli") -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Authorization": f"Bearer {key}"}, method=method)
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response), response.headers


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_emulator_serves_until_it_gets_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    calls = tmp_path / "calls.jsonl"
    calls.write_text(
        '{"call_id": "call_1", "metadata": {"a": 1}}\n\n{"call_id": "call_2", "minimal": true}\n'
    )
    options = ("--calls", str(calls), "--api-key", "key_cli", "--quota", "general=7/10")
    with running("--port", "0", *options) as process:
        assert process.stdout is not None
        greeting = [process.stdout.readline() for _ in range(4)]
        assert "with 2 calls" in greeting[0]
        assert "key_cli" in greeting[1]
        name, _, value = greeting[3].strip().removeprefix("export ").partition("=")
        assert name == "AIRFLOW_CONN_RETELL_DEFAULT"
        connection = json.loads(value.strip("'"))
        assert (connection["conn_type"], connection["password"]) == ("retell", "key_cli")
        call, headers = ask(f"{connection['host']}/v2/get-call/call_1")
        assert call["metadata"] == {"a": 1}
        assert headers["RateLimit-Limit"] == "7"
        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out == ""
    assert "GET /v2/get-call/call_1 200" in errors
    assert "Traceback" not in errors
    assert "key_cli" not in errors


def test_a_running_emulator_is_controlled_over_http(tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    calls.write_text('{"call_id": "call_1", "call_status": "ongoing"}\n')
    with running(
        "--port", "0", "--quiet", "--frozen", "--calls", str(calls), "--api-key", "key_cli"
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].split()[0]
        edited, _ = ask(f"{url}/_emulator/calls/call_1", {"call_status": "ended"}, "PATCH")
        assert edited["call_status"] == "ended"
        call, _ = ask(f"{url}/v2/update-call/call_1", {"metadata": {"a": 1}}, "PATCH")
        assert (call["call_status"], call["metadata"]) == ("ended", {"a": 1})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: a call must be a JSON object"),
        ('{"call_status": "done"}', "line 2: call_status must be one of"),
        ('{"call_id": "call_1"}', "line 2: call 'call_1' exists already"),
    ],
)
def test_an_invalid_line_of_the_calls_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    calls = tmp_path / "calls.jsonl"
    calls.write_text('{"call_id": "call_1"}\n' + line + "\n")
    assert main(["--port", "0", "--calls", str(calls)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quota", "general=many"], "NAME=COUNT/SECONDS"),
        (["--quota", "generel=1/1"], "unknown quota"),
        (["--quota", "general=1/1", "--no-quota"], "exclude each other"),
        (["--delays", "1/2"], "ANSWER/TALK/ANALYZE"),
        (["--outcome", "+14155550123"], "NAME=VALUE"),
        (["--outcome", "+14155550123=gone"], "disconnection_reason"),
        (["--speed", "0"], "speed"),
        (["--calls", "/nonexistent/calls.jsonl"], "cannot read"),
        (["--option", "unknown_id_status"], "NAME=VALUE"),
        (["--option", "unknown_id_status=often"], "unknown_id_status must be a value such as 404"),
        (["--option", "unknown_id_status=true"], "unknown_id_status must be a value such as 404"),
        (["--option", "unknown_id_status=700"], "unknown_id_status must be between 200 and 499"),
        (["--option", "metadata_semantics=append"], "metadata_semantics must be one of replace, merge"),
        (["--option", 'ended_statuses=["over"]'], "ended_statuses must be among"),
        (["--option", "api_key=key"], "unknown option 'api_key'; known: "),
        (["--option", "contacts={}"], "unknown option 'contacts'"),
        (["--option", "contacts.import_seconds=1"], "unknown option 'contacts.import_seconds'"),
        (
            ["--option", 'contacts.missing_status="404"'],
            "contacts.missing_status must be a value such as 422",
        ),
        (["--like", "/nonexistent/report.json"], "cannot read"),
        (["--port", "99999"], "port must be between"),
        (["--host", "host.invalid"], "cannot listen"),
    ],
)
def test_an_invalid_argument_is_explained_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["--port", "0", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_port_in_use_is_explained(capsys: pytest.CaptureFixture[str], retell_emulator: Emulator) -> None:
    port = retell_emulator.url.rpartition(":")[2]
    assert main(["--port", port]) == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err


def test_the_arguments_set_the_options_of_the_emulator() -> None:
    arguments = [
        "--custom-attribute=attr_a",
        "--custom-attribute=attr_b",
        "--contact-tag=tag_vip",
        "--quota=list=off",
        "--quota=update-call=5/1.5",
        "--concurrency=3",
        "--speed=60",
        "--frozen",
        "--delays=1/2/3",
        "--outcome=+14155550123=dial_busy",
        "--do-not-call=+14155550199",
        "--option=throttle_headers=none",
        "--option=metadata_semantics=merge",
        "--option=drops_null=true",
        "--option=not_ended_status=422",
        "--option=chats.max_ids_per_filter=9",
    ]
    options = cli.build(cli.parser().parse_args(arguments)).options
    assert options.custom_attributes == ("attr_a", "attr_b")
    assert options.contacts.tags == {"tag_vip": "tag_vip"}
    assert options.quotas == {"list": None, "update-call": (5, 1.5)}
    assert options.throttle_headers == "none"
    assert options.concurrency == 3
    assert (options.clock.speed, options.clock.frozen) == (60, True)
    assert (options.lifecycle.answer, options.lifecycle.talk, options.lifecycle.analyze) == (1, 2, 3)
    assert options.outcomes == {"+14155550123": "dial_busy"}
    assert options.do_not_call == ("+14155550199",)
    assert (options.metadata_semantics, options.drops_null) == ("merge", True)
    assert (options.not_ended_status, options.chats.max_ids_per_filter) == (422, 9)
    assert cli.build(cli.parser().parse_args(["--no-quota"])).options.quotas is None


def options_of(*arguments: str) -> Options:
    return cli.build(cli.parser().parse_args(arguments)).options


def test_every_undocumented_option_can_be_set_by_name() -> None:
    options = undocumented_options(Options)
    assert len(options) > 30
    for name, item in options.items():
        for value in item.metadata["others"]:
            text = value if isinstance(value, str) else json.dumps(value)
            assert operator.attrgetter(name)(options_of("--option", f"{name}={text}")) == value


def test_the_emulator_behaves_as_the_account_in_a_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    found = {
        **{"metadata_semantics": "merge", "list_lag": 60, "ended_statuses": ["ended"], "drops_null": True},
        "contacts.missing_status": 422,
    }
    report.write_text(json.dumps({"schema_version": 1, "emulator": found}))
    options = options_of("--like", str(report))
    assert (options.metadata_semantics, options.list_lag, options.drops_null) == ("merge", 60, True)
    assert (options.ended_statuses, options.contacts.missing_status) == (("ended",), 422)
    assert options.unknown_id_status == Options().unknown_id_status
    options = options_of(
        "--like", str(report), "--option=metadata_semantics=replace", "--option=list_lag=1.5"
    )
    assert (options.metadata_semantics, options.list_lag, options.drops_null) == ("replace", 1.5, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a report of the contract"),
        ("{}", "not a report of the contract"),
        ('{"emulator": []}', "not a report of the contract"),
        ('{"emulator": {"port": 1}}', "unknown option 'port'"),
        ('{"emulator": {"drops_null": 1}}', "drops_null must be a value such as true"),
    ],
)
def test_an_invalid_report_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    report = tmp_path / "report.json"
    report.write_text(text)
    assert main(["--port", "0", "--like", str(report)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{report}")
    assert message in error
    assert error.count("\n") == 1


def test_the_help_mentions_the_control_api(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "/_emulator/" in capsys.readouterr().out
