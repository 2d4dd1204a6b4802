"""Objects that checks create, and their deletion, also if the response to their creation is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.status import status_error
from airflow_provider_retell.contract.findings import NotYetError
from airflow_provider_retell.contract.seeing import NOT_FOUND, check_cause, fields_of, is_success, see

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request, Response

ID = TypeVar("ID", bound="str | float")


class Creation(Generic[ID]):
    """Objects that a run creates, and has to delete or to end.

    Pass :meth:`undo_all` to ``target.clean_up`` before the first request is sent.

    :param id_field: the field with the id in the response to the creation, or "" if it has none.
    :param find: returns the ids of the objects that only this run can have created, for example by a unique name.
    :param undo: deletes or ends an object; returns False if it still exists.
    :param existing: ids of other objects, which must not be deleted.
    :param search: True to search for more objects also if all responses have an id.
    :param seconds: the time between two attempts to find and to delete objects.
    """

    def __init__(
        self,
        id_field: str,
        find: Callable[[], Flow[Iterable[ID]]],
        undo: Callable[[ID], Flow[bool]],
        *,
        existing: Collection[ID] = (),
        search: bool = False,
        seconds: float = 1.0,
    ) -> None:
        self._id_field = id_field
        self._find = find
        self._undo = undo
        self._existing = existing
        self._search = search
        self._seconds = seconds
        self._ids: list[ID] = []
        self._undone: set[ID] = set()
        # Requests that may have created an object whose id is unknown.
        self._unknown = 0

    def send(self, request: Request[Any], *expected: int) -> Flow[Response]:
        """Send a request that creates an object, and return its response.

        :param expected: as in :func:`~.seeing.see`, which also defines the errors.
        """
        self._unknown += 1
        try:
            response: Response = yield request.observe()
        except RetellError as error:
            if error.not_processed:
                self._unknown -= 1
            raise
        if is_success(response):
            if self._add(fields_of(response).get(self._id_field)):
                self._unknown -= 1
        elif status_error(request, response).not_processed:
            self._unknown -= 1
        return check_cause(request, response, *expected)

    def _add(self, object_id: Any) -> bool:
        """Remember the id of an object; return False if it cannot be the id of a new one."""
        if not isinstance(object_id, (str, int, float)) or isinstance(object_id, bool):
            return False
        if object_id in self._existing:
            return False
        if object_id not in self._ids:
            self._ids.append(object_id)  # type: ignore[arg-type]
        return True

    def undo_all(self) -> Flow[bool]:
        """Delete or end all objects.

        :raises NotYetError: if one still exists, or cannot be found.
        """
        yield from self._undo_known()
        if self._unknown or (self._search and self._ids):
            for object_id in (yield from self._find()):
                if object_id not in self._ids and self._add(object_id):
                    self._unknown = max(self._unknown - 1, 0)
            yield from self._undo_known()
        if self._unknown or len(self._undone) < len(self._ids):
            raise NotYetError("an object may still exist", seconds=self._seconds)
        return True

    def _undo_known(self) -> Flow[None]:
        for object_id in self._ids:
            if object_id not in self._undone and (yield from self._undo(object_id)):
                self._undone.add(object_id)


def deleted(deletion: Request[Any], read: Request[Any]) -> Flow[bool]:
    """Delete an object; return True if it can no longer be read.

    :param read: reads the object. A deletion that gets 404 or 422 may also be a refusal.
    """
    yield from see(deletion)
    response = yield from see(read)
    return response.status in NOT_FOUND
