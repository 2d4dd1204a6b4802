"""The script that writes the tables of the contract into the Markdown pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

import docs_contract
from airflow_provider_retell.contract.resources import CHECKS, flags

PAGE = "# A page\n\n<!-- begin contract: {} -->\n{}<!-- end contract -->\n\nMore.\n"


@pytest.fixture
def page(tmp_path: Path, mocker: MockerFixture) -> Path:
    mocker.patch.object(docs_contract, "ROOT", tmp_path)
    mocker.patch.object(docs_contract, "PAGES", ("page.md",))
    return tmp_path / "page.md"


@pytest.mark.parametrize("table", docs_contract.TABLES)
@pytest.mark.parametrize("before", ["", "| old |\n|---|\n"])
def test_the_table_between_the_markers_is_replaced(page: Path, table: str, before: str) -> None:
    page.write_text(PAGE.format(table, before))
    assert docs_contract.main([]) == 0
    assert page.read_text() == PAGE.format(table, docs_contract.TABLES[table]())
    assert docs_contract.main(["--check"]) == 0


def test_check_names_the_page_and_changes_nothing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text(PAGE.format("flags", ""))
    assert docs_contract.main(["--check"]) == 1
    assert "page.md: not current; run make docs-code" in capsys.readouterr().out
    assert page.read_text() == PAGE.format("flags", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.format("nothing", ""), "there is no table 'nothing'"),
        ("<!-- begin contract: flags -->\n", "has no line '<!-- end contract -->'"),
    ],
)
def test_a_wrong_marker_fails(
    page: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(text)
    assert docs_contract.main([]) == 2
    assert message in capsys.readouterr().err


def test_the_tables_contain_every_check_question_and_flag() -> None:
    assert [line.count("|") for line in docs_contract.checks().splitlines() if line.startswith("|")].count(
        6
    ) >= len(CHECKS)
    for check in CHECKS:
        assert f"| `{check.name}` | {check.assumption} |" in docs_contract.checks()
        assert (f"| {check.question} |" in docs_contract.questions()) == bool(check.question)
    for flag in flags():
        assert f"| `{flag.option}" in docs_contract.flag_table()
