"""The script that writes code from tested files into the Markdown pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

import docs_code

SOURCE = '''
"""An example."""

with DAG("example"):
    # Why it waits.
    # In two lines.
    wait = CallSensor(
        task_id="wait_for_call",
    )

    @task
    def load() -> None:
        """Load it."""

    # Not part of load.

    DeleteCallOperator(task_id="delete", call_id="call_1")
'''
WAIT = '# Why it waits.\n# In two lines.\nwait = CallSensor(\n    task_id="wait_for_call",\n)'
LOAD = '@task\ndef load() -> None:\n    """Load it."""'
DELETE = 'DeleteCallOperator(task_id="delete", call_id="call_1")'


@pytest.fixture
def root(tmp_path: Path, mocker: MockerFixture) -> Path:
    mocker.patch.object(docs_code, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "example.py").write_text(SOURCE)
    return tmp_path


def page_with(names: str, block: str = "") -> str:
    return f"# A page\n\n<!-- begin code: example.py{names} -->\n{block}<!-- end code -->\n\nMore.\n"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ("", SOURCE.strip("\n")),
        (" wait", WAIT),
        (" wait_for_call", WAIT),
        (" load", LOAD),
        (" delete", DELETE),
        (" load delete", f"{LOAD}\n\n{DELETE}"),
    ],
)
@pytest.mark.parametrize("before", ["", "```python\nold = 1\n```\n", "nothing of this stays\n"])
def test_code_between_the_markers_is_replaced(root: Path, names: str, code: str, before: str) -> None:
    page = root / "docs/page.md"
    page.write_text(page_with(names, before))
    assert docs_code.main([]) == 0
    assert page.read_text() == page_with(names, f"```python\n{code}\n```\n")
    assert docs_code.main(["--check"]) == 0


def test_check_names_the_page_and_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = root / "README.md"
    page.write_text(page_with(" wait"))
    assert docs_code.main(["--check"]) == 1
    assert "README.md: not current; run make docs-code" in capsys.readouterr().out
    assert page.read_text() == page_with(" wait")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (page_with(" nothing"), "0 statements are called 'nothing'"),
        ("<!-- begin code: example.py -->\n", "has no line '<!-- end code -->'"),
        (
            page_with("").replace("<!-- end", "<!-- the end") + page_with(""),
            "has no line '<!-- end code -->'",
        ),
        (page_with("").replace("example.py", "missing.py"), "missing.py"),
    ],
)
def test_a_marker_that_cannot_be_filled_fails(
    root: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "README.md").write_text(text)
    assert docs_code.main([]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("README.md: ")
    assert message in printed


def test_code_that_contains_a_fence_gets_a_longer_one(root: Path) -> None:
    (root / "example.py").write_text('"""\n```\nx\n```\n"""\n')
    page = root / "README.md"
    page.write_text(page_with(""))
    assert docs_code.main([]) == 0
    assert "\n````python\n" in page.read_text()
