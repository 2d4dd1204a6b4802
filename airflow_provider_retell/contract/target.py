"""The account under test: the flags that the user gave, and the state that checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.contract.findings import NotYetError, SkipError
from airflow_provider_retell.contract.flags import Flag

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow

T = TypeVar("T")


class Target:
    """The permissions of a run, and the objects that it has found and changed so far.

    :param values: the values of the flags that were given; ``("",)`` for a flag without a value.
    :param on_change: called with :attr:`changes` before something is changed, and after it was restored.

    :ivar changes: the original state of changed objects, by kind and id. It is restored after each check.
    :ivar at_end: the flows that clean up after the last check, and the sentences for their failures. The last one runs
        first.
    :ivar failures: sentences about objects that could not be restored or cleaned up.
    """

    def __init__(
        self,
        values: Mapping[Flag, tuple[str, ...]] | None = None,
        on_change: Callable[[dict[tuple[str, str], Any]], object] = lambda _changes: None,
    ) -> None:
        self._values = dict(values or {})
        self._on_change = on_change
        self._kept: dict[object, Any] = {}
        self._failed: dict[object, Exception] = {}
        self.changes: dict[tuple[str, str], Any] = {}
        self.at_end: list[tuple[Callable[[], Flow[object]], str]] = []
        self.failures: list[str] = []

    def values(self, flag: Flag) -> tuple[str, ...]:
        """Return the values of *flag*."""
        return self._values.get(flag, ())

    def allows(self, flags: Iterable[Flag]) -> bool:
        """Return True if all *flags* were given."""
        return all(flag in self._values for flag in flags)

    def once(self, make: Callable[[Target], Flow[T]]) -> Flow[T]:
        """Run the flow that *make* returns if no check has run it before, and return its result or raise its error."""
        if make in self._failed:
            raise self._failed[make]
        if make not in self._kept:
            try:
                self._kept[make] = yield from make(self)
            except NotYetError:
                raise
            except Exception as error:
                self._failed[make] = error
                raise
        result: T = self._kept[make]
        return result

    def about_to_change(self, kind: str, object_id: str, state: Any) -> None:
        """Record the state of an object before its first change."""
        if (kind, object_id) not in self.changes:
            self.changes[kind, object_id] = state
            self._on_change(self.changes)

    def clean_up(self, make: Callable[[], Flow[object]], failure: str) -> None:
        """Run a flow after the last check, also after an interruption.

        Register it before sending a request that creates something, because the response may be lost.

        :param make: returns the flow. If its result is False, the clean-up has failed. With :class:`NotYetError`, it
            runs again later.
        :param failure: a sentence for the user if it fails.
        """
        self.at_end.append((make, failure))

    def restored(self, kind: str, object_id: str) -> None:
        """Forget the state of an object that has it again."""
        del self.changes[kind, object_id]
        self._on_change(self.changes)


def one(found: list[T], missing: str) -> T:
    """Return the first item, or raise :class:`SkipError` with the text *missing*."""
    if not found:
        raise SkipError(missing)
    return found[0]
