"""Runs of the operators for contacts, and checks that they show no private data."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
import tasks

from airflow_provider_retell.bulk.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_retell.emulator import Emulator

PRIVATE = "Pr1vate"

WRITES = (
    "create-contact",
    "create-contact-import",
    "delete-contact",
    "update-contact",
    "upload-contact-import-file",
)

# Not after another digit or letter of a hexadecimal number: a random id may contain the same digits, and the reports of
# some tests have thousands of ids.
_NUMBER = re.compile(r"(?<![0-9a-f])1?415555\d{4}")


def phone(n: int) -> str:
    return f"+1415{5550000 + n}"


def row(n: int, **fields: Any) -> dict[str, Any]:
    return {"phone_number": phone(n), **fields}


def writes(emulator: Emulator) -> int:
    """Return the number of requests that may have changed contacts."""
    return sum(emulator.count(route) for route in WRITES)


def listing(*contacts: Any, **fields: Any) -> dict[str, Any]:
    """Return the only page of a list of contacts."""
    return {"items": list(contacts), "has_more": False, **fields}


def has_phone_number(text: str) -> bool:
    """Return True if *text* contains a number of :func:`phone`, with or without the country code."""
    return _NUMBER.search(text) is not None


def check_private(text: str) -> None:
    """Check that *text* has neither a phone number nor a private value."""
    assert not has_phone_number(text)
    assert PRIVATE not in text


@pytest.fixture(autouse=True)
def no_private_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check after each test of a module that imports this fixture that its log has no private data."""
    caplog.set_level(logging.DEBUG, logger="airflow_provider_retell")
    yield
    # Not caplog.text, which has only the lines of the teardown by now.
    check_private("\n".join(map(caplog.handler.format, caplog.get_records("call"))))


class Run:
    """A run of an operator for contacts, which shows no private data.

    :param path: the report. None writes none.
    :ivar error: the error of the task, or None.
    """

    def __init__(
        self, operator: Any, path: Path | None, ti: tasks.Ti | None = None, **arguments: Any
    ) -> None:
        self.path, self.ti, self.error = path, ti or tasks.Ti(), None
        report = None if path is None else str(path)
        task = operator(task_id="a_task", **{"report_path": report, "quota": "100000/1", **arguments})
        try:
            tasks.run_task(task, ti=self.ti)
        except Exception as caught:
            self.error = caught
        check_private(f"{self.ti.xcom} {self.error} {self.report}")

    @property
    def manifest(self) -> dict[str, Any]:
        return self.ti.xcom.get("manifest", {})

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by outcome, without zeros."""
        return {name: self.manifest[name] for name in get_args(Outcome) if self.manifest.get(name)}

    @property
    def report(self) -> list[dict[str, Any]]:
        """The lines of the report, in the order of the tries and rows."""
        if self.path is None or not self.path.exists():
            return []
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return sorted(lines, key=lambda line: (line["try"], line["row"]))

    def reason(self, number: int) -> str:
        """Return the reason of a row in the report."""
        return next(line["reason"] for line in self.report if line["row"] == number)

    @property
    def first_reason(self) -> str:
        """The reason of the first row that failed."""
        return str(self.ti.xcom["failures"][0]["reason"])


def outcomes_of(
    operator: Any, folder: Path, name: str = "report.jsonl", **arguments: Any
) -> tuple[dict[str, int], list[Any], Any]:
    """Run an operator, and return the counts of the outcomes, the report in *folder*, and the error or None."""
    done = Run(operator, folder / name, **arguments)
    return done.counts, done.report, done.error
