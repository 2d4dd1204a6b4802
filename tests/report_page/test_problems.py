"""The sentences of the report page in place of a result."""

from __future__ import annotations

import shutil

import pytest
from report_texts import run_script

if shutil.which("node") is None:
    pytest.skip("needs Node.js", allow_module_level=True)

SCRIPT = 'console.log(JSON.stringify(problemOf(404, { dag: "d", run: "r", task: "t" }, 200, input)));'


def text_without_result(state: str | None) -> str:
    return str(run_script("problems.js", SCRIPT, state)["text"])


@pytest.mark.parametrize("state", ["failed", "success", "up_for_retry"])
def test_a_task_that_has_run_may_have_been_killed(state: str) -> None:
    text = text_without_result(state)
    assert text.startswith(
        f"The task's state is “{state.replace('_', ' ')}”. The task has no result: it failed"
    )
    assert "it was killed" in text
    assert "not run yet" not in text


@pytest.mark.parametrize("state", [None, "upstream_failed", "skipped", "removed"])
def test_another_task_may_not_have_run(state: str | None) -> None:
    assert "The task has no result: it has not run yet," in text_without_result(state)


def test_a_task_that_is_running_has_no_result_yet() -> None:
    assert text_without_result("deferred") == "The task is deferred. Reload this page when it has ended."
