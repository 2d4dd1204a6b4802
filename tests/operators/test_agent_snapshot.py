"""SnapshotAgentsOperator: stable files, and differences from an earlier snapshot without values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tasks import Ti, rendered_fields, run_task, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.operators import SnapshotAgentsOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

SECRET = "zebra-umbrella"
NUMBER = "+14155550100"


@pytest.fixture(autouse=True)
def agents(emulator: Emulator) -> None:
    """A voice agent with an LLM, a test case, a number and a draft, and a chat agent with a flow."""
    emulator.add_agent(
        agent_id="agent_1",
        agent_name="Front desk",
        tags={"prod": 0},
        llm={"llm_id": "llm_1", "general_prompt": SECRET},
    )
    emulator.add_agent_version("agent_1", llm={"begin_message": SECRET})
    emulator.add_agent(
        agent_id="agent_2",
        agent_name="Chat desk",
        channel="chat",
        conversation_flow={"conversation_flow_id": "flow_1"},
    )
    engine = {"type": "retell-llm", "llm_id": "llm_1"}
    emulator.add_test_case(
        test_case_definition_id="test_case_1",
        name="Moves an appointment",
        response_engine=engine,
        user_prompt=SECRET,
    )
    bound = [{"agent_id": "agent_1", "agent_version": 0, "weight": 1}]
    emulator.add_phone_number(NUMBER, nickname="Main line", inbound_agents=bound)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def snapshot(path: Path, **parameters: Any) -> dict[str, Any]:
    parameters = {
        name: str(value) if isinstance(value, Path) else value for name, value in parameters.items()
    }
    result: dict[str, Any] = run_try(
        SnapshotAgentsOperator(task_id="snapshot", retries=3, path=str(path), **parameters)
    )
    return result


def files(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): file.read_text(encoding="utf-8")
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def read(path: Path, name: str) -> Any:
    return json.loads((path / name).read_text(encoding="utf-8"))


def test_a_snapshot_has_a_folder_per_agent_and_the_phone_numbers(folder: Path) -> None:
    result = snapshot(folder)
    assert list(files(folder)) == [
        "agents/agent_1/agent.json",
        "agents/agent_1/llm.json",
        "agents/agent_1/test_cases.json",
        "agents/agent_2/agent.json",
        "agents/agent_2/conversation_flow.json",
        "agents/agent_2/test_cases.json",
        "phone_numbers.json",
        "snapshot.json",
    ]
    agent = read(folder, "agents/agent_1/agent.json")
    assert (agent["agent_name"], agent["channel"], agent["tags"]) == ("Front desk", "voice", {"prod": 0})
    assert (agent["published"]["version"], agent["draft"]["version"], agent["draft"]["base_version"]) == (
        0,
        1,
        0,
    )
    llm = read(folder, "agents/agent_1/llm.json")
    assert llm["published"]["general_prompt"] == SECRET
    assert llm["draft"]["begin_message"] == SECRET
    assert read(folder, "agents/agent_2/conversation_flow.json")["draft"] is None
    assert [case["user_prompt"] for case in read(folder, "agents/agent_1/test_cases.json")] == [SECRET]
    assert read(folder, "phone_numbers.json")[0]["phone_number"] == NUMBER
    assert result == {
        "path": str(folder),
        "agents": 2,
        "test_cases": 1,
        "phone_numbers": 1,
        "compared_with": None,
        "drift": None,
        "changes": [],
        "schema_version": 1,
    }


def test_the_same_configuration_gives_the_same_bytes(emulator: Emulator, folder: Path) -> None:
    snapshot(folder / "a")
    emulator.clock.advance(86_400)
    emulator.edit_agent("agent_1", version=1, volume=None)  # only the timestamps change
    emulator.agents["agent_1"] = emulator.agents.pop("agent_1")
    emulator.llms["llm_1"][0] = dict(reversed(emulator.llms["llm_1"][0].items()))
    snapshot(folder / "b")
    assert files(folder / "a") == files(folder / "b")
    assert "timestamp" not in "".join(files(folder / "a").values())


def test_an_unchanged_configuration_is_no_drift(folder: Path) -> None:
    snapshot(folder / "a")
    result = snapshot(folder / "b", compare_with=folder / "a", fail_on_drift=True)
    assert (result["compared_with"], result["drift"], result["changes"]) == (str(folder / "a"), False, [])


def drift(emulator: Emulator) -> None:
    """Change, add and remove objects of every kind by hand."""
    emulator.edit_agent(
        "agent_1", version=1, agent_name=SECRET, llm={"general_prompt": "Other", "begin_message": None}
    )
    emulator.organization.agent_backend.publish(emulator.agents["agent_1"], 1)
    emulator.agents["agent_1"].tags["prod"] = 1
    del emulator.agents["agent_2"]
    emulator.add_agent(agent_id="agent_3", agent_name="New desk")
    emulator.phone_numbers[NUMBER]["inbound_agents"][0]["agent_version"] = 1
    emulator.add_phone_number("+14155550101")


def test_drift_is_returned_and_logged_by_name(
    emulator: Emulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    snapshot(folder / "a")
    drift(emulator)
    result = snapshot(folder / "b", compare_with=folder / "a")
    assert result["drift"] is True
    assert [(each["kind"], each["id"], each["change"]) for each in result["changes"]] == [
        ("agent", "agent_1", "changed"),
        ("agent", "agent_2", "removed"),
        ("agent", "agent_3", "added"),
        ("phone_number", "…0100", "changed"),
        ("phone_number", "…0101", "added"),
    ]
    assert {"draft", "published.llm.general_prompt", "tags"} < set(result["changes"][0]["fields"])
    assert "phone number Main line (…0100) changed: inbound_agents" in caplog.text
    assert "1415" not in caplog.text + str(result)


def test_drift_can_fail_the_task_for_good(emulator: Emulator, folder: Path) -> None:
    snapshot(folder / "a")
    drift(emulator)
    with pytest.raises(
        AirflowFailException, match=r"phone number Main line \(…0100\) changed: inbound_agents"
    ) as caught:
        snapshot(folder / "b", compare_with=folder / "a", fail_on_drift=True)
    assert "1415" not in str(caught.value)
    assert (folder / "b/snapshot.json").exists()


def test_a_check_does_not_replace_the_snapshot_that_it_compares_with(
    emulator: Emulator, folder: Path
) -> None:
    snapshot(folder, compare_with=folder, fail_on_drift=True)  # the first run writes the snapshot
    before = files(folder)
    drift(emulator)
    for _ in range(2):
        with pytest.raises(AirflowFailException, match="differs from the snapshot"):
            snapshot(folder, compare_with=folder, fail_on_drift=True)
    assert files(folder) == before
    snapshot(folder)  # accepts the new configuration
    assert not snapshot(folder, compare_with=folder, fail_on_drift=True)["drift"]


@pytest.mark.parametrize("templated", [False, True])
def test_a_snapshot_does_not_replace_the_one_that_it_compares_with(
    emulator: Emulator, folder: Path, templated: bool
) -> None:
    snapshot(folder)
    before = files(folder)
    drift(emulator)
    error = AirflowFailException if templated else ValueError
    with pytest.raises(error, match="path must not be compare_with unless fail_on_drift is True"):
        # A retry after a killed worker would report no drift.
        snapshot(folder, compare_with=f"{{{{ '{folder}' }}}}" if templated else folder)
    assert files(folder) == before


def test_a_check_without_drift_writes_nothing(folder: Path, mocker: Any) -> None:
    from airflow_provider_retell.export import agent_snapshot

    snapshot(folder)
    # A kill between two writes would leave no snapshot to compare with.
    write = mocker.spy(agent_snapshot, "atomic_write")
    delete = mocker.spy(agent_snapshot, "_delete")
    assert snapshot(folder, compare_with=folder, fail_on_drift=True)["drift"] is False
    assert (write.call_count, delete.call_count) == (0, 0)


def test_files_of_deleted_agents_are_deleted_and_other_files_stay(emulator: Emulator, folder: Path) -> None:
    snapshot(folder)
    (folder / "README.md").write_text("Mine", encoding="utf-8")
    del emulator.agents["agent_2"]
    snapshot(folder)
    assert not (folder / "agents/agent_2/agent.json").exists()
    assert (folder / "README.md").exists()


def test_snapshots_are_written_and_read_with_the_connection_of_the_storage(
    emulator: Emulator, private_memory: Any
) -> None:
    path = "memory://bucket/snapshots"
    snapshot(path, path_conn_id="private_storage")
    first = set(private_memory.find("/bucket/snapshots"))
    del emulator.agents["agent_2"]
    result = snapshot("memory://bucket/other", path_conn_id="private_storage", compare_with=path)
    assert (result["compared_with"], result["drift"]) == (path, True)
    snapshot(path, path_conn_id="private_storage")
    deleted = first - set(private_memory.find("/bucket/snapshots"))
    assert {name.split("/")[-2] for name in deleted} == {"agent_2"}


def test_an_interrupted_snapshot_is_no_snapshot(folder: Path, mocker: Any) -> None:
    from airflow_provider_retell.export import agent_snapshot

    snapshot(folder)
    write = agent_snapshot.atomic_write
    mocker.patch.object(agent_snapshot, "atomic_write", side_effect=[write, OSError])
    with pytest.raises(OSError):  # noqa: PT011
        snapshot(folder)
    mocker.stopall()
    check = {"compare_with": folder, "fail_on_drift": True}
    assert snapshot(folder, **check)["compared_with"] is None
    assert snapshot(folder, **check)["compared_with"] == str(folder)


def test_without_an_earlier_snapshot_there_is_no_drift(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = snapshot(folder / "a", compare_with=folder / "none")
    assert (result["compared_with"], result["drift"]) == (None, None)
    assert "There is no snapshot in" in caplog.text


def test_a_check_without_an_earlier_snapshot_fails(folder: Path) -> None:
    with pytest.raises(AirflowFailException, match="there is no snapshot in .* to compare with"):
        snapshot(folder / "a", compare_with=folder / "none", fail_on_drift=True)


@pytest.mark.parametrize("content", ["[]", "{", '{"files": {"../../secret.json": "x"}}'])
def test_a_folder_with_another_file_of_that_name_is_not_touched(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "snapshot.json").write_text(content, encoding="utf-8")
    with pytest.raises(AirflowFailException, match=r"snapshot\.json"):
        snapshot(folder)
    assert files(folder) == {"snapshot.json": content}


def test_a_snapshot_with_a_missing_file_is_incomplete(emulator: Emulator, folder: Path) -> None:
    snapshot(folder)
    (folder / "agents/agent_1/agent.json").unlink()
    emulator.edit_agent("agent_1", agent_name="Other")
    with pytest.raises(AirflowFailException, match="is incomplete: one of its files is missing"):
        snapshot(folder, compare_with=folder, fail_on_drift=True)


@pytest.mark.parametrize("native", [False, True])
def test_agents_can_be_chosen_by_a_template(folder: Path, native: bool) -> None:
    task = SnapshotAgentsOperator(
        task_id="snapshot", path="{{ params.folder }}/{{ ds }}/", agent_ids="{{ params.agents | tojson }}"
    )
    params = {"folder": str(folder), "agents": ["agent_2"]}
    result = run_task(task, native=native, params=params, ds="2026-11-22")
    assert (result["path"], result["agents"], result["phone_numbers"]) == (f"{folder}/2026-11-22", 1, 0)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"agent_ids": ["agent_none"]}, "does not have: agent_none"),
        ({"agent_ids": []}, "agent_ids must have at least one entry"),
        ({"agent_ids": "agent_1"}, "agent_ids rendered to text that is not a JSON list"),
        ({"path": "{{ none }}"}, "path rendered to an empty value"),
    ],
)
def test_invalid_values_fail_for_good_and_write_nothing(folder: Path, parameters: Any, fault: str) -> None:
    task = SnapshotAgentsOperator(**{"task_id": "snapshot", "path": str(folder), **parameters})
    with pytest.raises(AirflowFailException, match=fault):
        run_try(task)
    assert not folder.exists()


def test_a_check_needs_a_snapshot_to_compare_with() -> None:
    with pytest.raises(ValueError, match="fail_on_drift requires compare_with"):
        SnapshotAgentsOperator(task_id="snapshot", path="x", fail_on_drift=True)


def test_an_agent_that_was_never_published_has_only_a_draft(emulator: Emulator, folder: Path) -> None:
    emulator.add_agent(agent_id="agent_new", published=False)
    snapshot(folder)
    agent = read(folder, "agents/agent_new/agent.json")
    assert (agent["published"], agent["draft"]["version"]) == (None, 0)


def test_an_agent_whose_engine_does_not_exist_is_still_in_the_snapshot(
    emulator: Emulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = {"type": "retell-llm", "llm_id": "llm_gone", "version": 0}
    emulator.agents["agent_1"].versions[0]["response_engine"] = engine
    snapshot(folder)
    assert read(folder, "agents/agent_1/llm.json")["published"] is None
    assert "its response engine llm_gone does not exist" in caplog.text


def test_an_agent_with_a_custom_llm_has_no_engine(emulator: Emulator, folder: Path) -> None:
    engine = {"type": "custom-llm", "llm_websocket_url": "wss://llm.example.com"}
    emulator.add_agent(agent_id="agent_custom", response_engine=engine)
    snapshot(folder)
    assert sorted(path.name for path in (folder / "agents/agent_custom").iterdir()) == [
        "agent.json",
        "test_cases.json",
    ]


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("is_there", [False, True])
def test_secrets_in_paths_are_shown_nowhere(caplog: pytest.LogCaptureFixture, is_there: bool) -> None:
    secret = "memory://bucket/old?sig=SECRET"
    if is_there:
        run_task(SnapshotAgentsOperator(task_id="first", path=secret))
    caplog.set_level("INFO")
    task = SnapshotAgentsOperator(
        task_id="snapshot", path=secret, compare_with="{{ old }}", fail_on_drift=True
    )
    ti = Ti()
    result = run_task(task, ti=ti, old=secret)
    assert result["drift"] is (False if is_there else None)
    assert "SECRET" not in caplog.text + repr(result) + repr(ti.xcom) + repr(rendered_fields(task))
