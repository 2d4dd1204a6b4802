"""The script that writes tables into the Markdown pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

import docs_tables
from airflow_provider_retell.contract.resources import CHECKS, flags

PAGE = "# A page\n\n<!-- begin table: {} -->\n{}<!-- end table -->\n\nMore.\n"


@pytest.fixture
def page(tmp_path: Path, mocker: MockerFixture) -> Path:
    mocker.patch.object(docs_tables, "ROOT", tmp_path)
    mocker.patch.object(docs_tables, "PAGES", ("page.md",))
    return tmp_path / "page.md"


@pytest.mark.parametrize("table", docs_tables.TABLES)
@pytest.mark.parametrize("before", ["", "| old |\n|---|\n"])
def test_the_table_between_the_markers_is_replaced(page: Path, table: str, before: str) -> None:
    page.write_text(PAGE.format(table, before))
    assert docs_tables.main([]) == 0
    assert page.read_text() == PAGE.format(table, docs_tables.TABLES[table]())
    assert docs_tables.main(["--check"]) == 0


def test_check_names_the_page_and_changes_nothing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text(PAGE.format("flags", ""))
    assert docs_tables.main(["--check"]) == 1
    assert "page.md: not current; run make docs-code" in capsys.readouterr().out
    assert page.read_text() == PAGE.format("flags", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.format("nothing", ""), "there is no table 'nothing'"),
        ("<!-- begin table: flags -->\n", "has no line '<!-- end table -->'"),
    ],
)
def test_a_wrong_marker_fails(
    page: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(text)
    assert docs_tables.main([]) == 2
    assert message in capsys.readouterr().err


def test_the_tables_contain_every_question_and_flag() -> None:
    for check in CHECKS:
        row = f"| {check.question} | {check.assumption} | {check.otherwise} | `{check.name}` |"
        assert (row in docs_tables.questions()) == bool(check.question)
    for flag in flags():
        assert f"| `{flag.option}" in docs_tables.flag_table()


@pytest.mark.parametrize("table", ["contract_options", "emulator_options", "webhook_options"])
def test_the_options_of_each_command_are_explained(table: str) -> None:
    rows = [line.split(" | ") for line in docs_tables.TABLES[table]().splitlines()[2:]]
    assert len(rows) >= 4
    for option, meaning in rows:
        assert option.startswith("| `--")
        assert len(meaning) > 10
        assert meaning != "None |"
