"""Tasks that start an import or a batch test at most once, and search for it after an unknown outcome."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from tasks import HAS_STATE_STORE, StateStore, Ti

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_retell.emulator import Emulator

FAILS = "fails"
STORES = ("kept", "discarded", "none")
LOOP = "next iteration of a task loop"
RESCHEDULE = "reschedule by a retry policy"

# The fault of the request, and the number of objects that were started after the first try, and whether that try fails.
FAULTS: dict[str, tuple[Fault, int, bool]] = {
    "connection lost before Retell acted": (Fault.drop(), 0, True),
    "connection lost after Retell acted": (Fault.drop_after(), 1, False),
    "429": (Fault.status(429, headers={"Retry-After": "2"}), 1, False),
    "500": (Fault.status(500), 0, True),
    "response truncated": (Fault.truncate(), 1, False),
    "timeout, Retell did not act": (Fault.hang(), 0, True),
    "timeout, Retell acted later": (Fault.slow(0.7), 1, False),
}


@contextmanager
def fast(emulator: Emulator, pause: float = 0.0) -> Iterator[None]:
    """Waits advance the emulator's clock, and last *pause* real seconds."""

    def advance(seconds: float) -> None:
        emulator.clock.advance(seconds)
        time.sleep(pause)

    with no_waiting(advance):
        yield


def new_ti(try_number: int, max_tries: int, region: UUID = UUID(int=0), index: int = 0) -> Ti:  # noqa: B008
    """Return a task instance of Airflow 3.4, in an iteration of a task loop or outside of loops."""
    return Ti(try_number, max_tries).in_region(region, index)


def store_of(kind: str, folder: Path, number: int = 0) -> StateStore | None:
    """Return the state store of one of :data:`STORES`. Stores with different numbers are different."""
    if kind == "none":
        return None
    if not HAS_STATE_STORE:
        pytest.skip("requires Airflow 3.3 or later")
    return StateStore(folder / f"store_{number}.json")


def cell(number: int | None) -> str:
    return FAILS if number is None else str(number)


def check_guide(page: str, others: Mapping[str, Iterable[Any]]) -> None:
    """Check that the guide *page* has a row for each of :data:`FAULTS` and of *others*, and no other such rows.

    :param others: the cells of each row, by its name.
    """
    rows: dict[str, Iterable[Any]] = {
        name: (f"{started}, {FAILS}", FAILS, FAILS) if fails else (started,) * 3
        for name, (_, started, fails) in FAULTS.items()
    }
    rows |= others
    expected = [f"| {name} | {' | '.join(map(str, cells))} |" for name, cells in rows.items()]
    lines = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line[:2] == "| " and line[2:].partition(" |")[0] in rows] == expected
