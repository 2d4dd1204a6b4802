"""The tables of the guide to waits are complete."""

from __future__ import annotations

import inspect
import re

import pytest
from pages import ROOT

from airflow_provider_retell._compat import BaseOperator, BaseSensorOperator

# A former name of ``max_active_tis_per_dag`` in Airflow 2.11.
FORMER = {"task_concurrency"}


def section(heading: str) -> str:
    text = (ROOT / "docs/wait.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def parameters(kind: type) -> set[str]:
    return set(inspect.signature(kind.__init__).parameters) - {"self", "kwargs"}


@pytest.mark.parametrize("kind", [BaseOperator, BaseSensorOperator])
def test_every_parameter_of_airflow_is_in_the_table(kind: type) -> None:
    assert parameters(kind) - documented() - FORMER == set()


def test_no_parameter_is_in_the_table_twice_or_unknown_to_airflow() -> None:
    named = names()
    assert sorted(named) == sorted(set(named))
    known = parameters(BaseOperator) | parameters(BaseSensorOperator)
    # Newer than Airflow 2.11.
    assert documented() - known <= {"retry_policy", "render_template_as_native_obj"}


def names() -> list[str]:
    rows = [line for line in section("Airflow's own parameters").splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def documented() -> set[str]:
    return set(names())
