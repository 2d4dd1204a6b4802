"""The calls of an organization, for tests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_retell.emulator.calls.vocabulary import Call


class CallObjects(Objects):
    """Calls, for tests."""

    @property
    def calls(self) -> dict[str, Call]:
        """The calls by id, up to date with the clock. The dictionary is live: tests may change it."""
        self._owner.catch_up()
        return self._owner.call_backend.store.calls

    @property
    def placed(self) -> list[Call]:
        """The calls that create-phone-call and create-batch-call placed, oldest first."""
        self._owner.catch_up()
        return self._owner.call_backend.placed

    @property
    def reruns(self) -> int:
        """The number of analyses that were run and charged again."""
        return self._owner.call_backend.reruns

    def add_call(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Call:
        """Add a call and return it.

        Fields that are not given are filled as in a real call of that type and status. The default is a phone
        call that has ended and is analyzed. The returned dictionary is live: tests may change it.

        :param progress: let a call that is registered, ongoing or not analyzed yet continue its life cycle. Given
            fields, such as ``transcript``, stay as they are.
        :param minimal: leave out transcripts, recordings, costs, latencies and analysis, for tests with very
            many calls.
        :param fields: fields of the call; None leaves a field out.
        :raises ValueError: for a call id that exists, or a call type or status that Retell does not have.
        """
        return self._owner.call_backend.add(progress=progress, minimal=minimal, **fields)

    def add_calls(self, call_ids: Iterable[str], *, minimal: bool = True, **fields: Any) -> None:
        """Add many calls that differ in their ids only.

        :param call_ids: an id for each call.
        :param minimal: as in ``add_call``, but True by default.
        :param fields: the fields of every call.
        """
        for call_id in call_ids:
            if not isinstance(call_id, str):
                raise TypeError(
                    f"call_ids must be texts, not {type(call_id).__name__}. For calls with different fields, use "
                    "add_call(**fields) for each call"
                )
            self.add_call(**{**copy.deepcopy(fields), "call_id": call_id, "minimal": minimal})

    def edit_call(self, call_id: str, *, progress: bool = False, **fields: Any) -> Call:
        """Change fields of a call, whatever its status, and return it.

        Only the given fields change. A live call that gets an ended status gets an ``end_timestamp``, too, but no
        transcript and no analysis: ``progress=True`` adds these.

        :param call_id: the id of the call.
        :param progress: let the call continue its life cycle from its new status.
        :param fields: the new values; None removes a field.
        :raises LookupError: if there is no such call.
        :raises ValueError: for a call type or status that Retell does not have, or a new ``call_id``.
        """
        with self._owner.options.clock.lock:
            call = self._owner.call_backend.edit(call_id, progress=progress, **fields)
        self._owner.catch_up()
        return call
