"""Base classes for the records that a bulk run changes.

The engine reads rows, compares, sends and reports. A :class:`Resource` contains everything that differs between calls,
chats and other records: the meaning of a row, how to read records, how to compare, and how to send one change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.outcome import OUTCOMES, Outcome, Result

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.bulk.named_columns import NamedColumns
    from airflow_provider_retell.bulk.rows import Row

S = TypeVar("S")
W = TypeVar("W")


@dataclass(frozen=True)
class Applied:
    """The response to a change.

    :ivar unverified: the names of the fields that the response does not confirm.
    :ivar record_id: the id of a record that was created.
    :ivar outcome: the outcome of the row, if it is another than that of the plan.
    :ivar reason: the reason of that outcome.
    """

    unverified: tuple[str, ...] = ()
    record_id: str | None = None
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True)
class Difference:
    """A change that a dry run found.

    :ivar action: the verb and the record, for example ``"update call call_abc"``. Without private values.
    :ivar changed: the names of the fields.
    :ivar before: the values before, by name, for tasks that log them.
    :ivar after: the values after.
    """

    action: str
    changed: tuple[str, ...]
    before: dict[str, Any] = field(repr=False)
    after: dict[str, Any] = field(repr=False)


class Planned(ABC):
    """The change that a row requires.

    :cvar outcome: the outcome of the row if the change succeeds.
    :ivar row: the number of the row.
    :ivar record_id: the id of the record, or None if the change creates it.
    :ivar changed: the names of the fields that change.
    """

    outcome: ClassVar[Outcome] = "updated"
    row: int
    changed: tuple[str, ...]

    @property
    @abstractmethod
    def record_id(self) -> str | None:
        """The id of the record."""

    @abstractmethod
    def apply(self) -> Flow[Applied]:
        """Send the change and verify the response.

        :raises UpdateMismatchError: if a value in the response differs from the value that was sent.
        """

    @abstractmethod
    def difference(self) -> Difference:
        """Return the change for the log of a dry run."""


class Resource(ABC, Generic[S, W]):
    """One kind of record, in one run. ``S`` is a record's current state, ``W`` is the change that a row asks for.

    The *key* of a row selects its record, and two rows with the same key are duplicates. A key that is private, for
    example a phone number, must not be in reports: see :meth:`record_id`.

    :ivar kind: the noun for messages. The report has the record's id as ``{kind}_id``.
    :ivar key_name: the name of the key, for messages.
    :ivar named_columns: the columns that the task names, and those of them that no row had so far.
    :cvar outcomes: the outcomes that a row can have. The manifest counts them.
    :cvar guarded: True to plan all rows before the first change is sent. The run then calls :meth:`check_plan`, and
        sends nothing if the source fails or lacks a column. All changes are in memory at that time.
    """

    kind: str
    key_name: str
    named_columns: NamedColumns
    outcomes: ClassVar[tuple[Outcome, ...]] = OUTCOMES
    guarded: ClassVar[bool] = False

    async def set_up(self) -> None:
        """Prepare the run before the first row: read all records, for example."""

    @abstractmethod
    def read_row(self, row: Row) -> tuple[str, W]:
        """Return the key of the row's record and the change that the row asks for.

        :raises InvalidRowError: if the row cannot be sent.
        """

    @abstractmethod
    async def read_states(self, keys: Sequence[str]) -> Mapping[str, S | RetellError | None]:
        """Return the state of each record: None if Retell has no such record, or the error of its request.

        :raises RetellError: if no record can be read.
        """

    @abstractmethod
    def plan_row(self, row: int, key: str, state: S | None, wanted: W) -> Planned | Result:
        """Compare a record with its row. Return the change to send, or the row's result.

        :param row: the number of the row.
        :param state: the record, or None if Retell has no such record.
        :param wanted: the change that the row asks for.
        """

    def check_plan(self, planned: Sequence[Planned]) -> None:
        """Raise :class:`RetellError` if nothing may be sent. Only for ``guarded`` resources, and in dry runs too.

        :param planned: all changes of the run.
        """

    async def send_plan(self, planned: Sequence[Planned]) -> None:
        """Send all changes at once, if the API can do that. Only for ``guarded`` resources, and not in dry runs.

        :meth:`Planned.apply` is called for each of them afterwards.

        :param planned: all changes of the run, at least one.
        """

    def record_id(self, key: str) -> str | None:
        """Return the id of the record for reports, or None if it is not known."""
        return key
