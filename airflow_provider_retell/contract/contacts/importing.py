"""Checks of the CSV import of contacts. All but one import a file with fictional numbers, and delete the contacts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_retell.api.contacts import endpoints
from airflow_provider_retell.api.contacts.waits import ContactImportEnded
from airflow_provider_retell.contract.check import NOT_DOCUMENTED, Checks, page
from airflow_provider_retell.contract.contacts.common import creation, with_number
from airflow_provider_retell.contract.creation import Creation
from airflow_provider_retell.contract.findings import (
    CannotTellError,
    Finding,
    NotYetError,
    SkipError,
    differs,
    holds,
)
from airflow_provider_retell.contract.flags import Flag
from airflow_provider_retell.contract.seeing import (
    REJECTED,
    ask,
    describe,
    fields_of,
    is_success,
    rejection,
    result,
    see,
)

if TYPE_CHECKING:
    from airflow_provider_retell.api.contacts.models import Contact, ContactImport
    from airflow_provider_retell.api.request import Flow, Response
    from airflow_provider_retell.api.waits import Poll
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

IMPORT = Flag(
    "--import-contacts",
    "create contacts with the fictional numbers +1 202 555 0188 and +1 202 555 0189, import a CSV file with both, and "
    "delete them",
)

_MARKED, _BLANK = "+12025550188", "+12025550189"
_STATUSES = ("queued", "running", "idle")
_BUSY = 409
_FILE = f"phone_number,last_name,do_not_call\n{_MARKED},Contract,true\n{_BLANK},,\n".encode()
_MAPPING = [
    {"external_field_name": name, "field_name": name} for name in _FILE.decode().split("\n")[0].split(",")
]


@CHECKS.add(
    "contacts.import_has_documented_form",
    assumption="get-contact-import returns the status `queued`, `running` or `idle`.",
    matters="ImportContactsOperator waits until no import is running.",
    source=page("get-contact-import"),
    otherwise="Another status counts as running, so the wait times out.",
)
def import_has_documented_form(_target: Target) -> Flow[Finding]:
    """Read the latest import."""
    response = yield from see(endpoints.get_contact_import())
    status = fields_of(response).get("status")
    return (
        holds("a documented status")
        if status in _STATUSES
        else differs(f"{describe(response)}, another status")
    )


def _start(target: Target) -> Flow[tuple[Response, Response, float | None]]:
    """Start an import and try to start another one; return both responses, and the start of the import before them."""
    latest = yield from ask(endpoints.get_contact_import())
    if latest.is_active:
        raise SkipError("an import is running")
    contacts = []
    for number in (_MARKED, _BLANK):
        contacts.append((number, (yield from creation(target, number, search=True))))
    for number, created in contacts:
        request = endpoints.create_contact(phone_number=number, last_name="Contract")
        result(request, (yield from created.send(request)))
    uploads: list[str] = []
    for _ in range(2):
        uploaded = yield from ask(endpoints.upload_contact_import_file(_FILE))
        uploads.append(uploaded.upload_id)
    after = latest.start_timestamp
    # The import would create contacts again that are deleted before it ends.
    imports = Creation("start_timestamp", partial(_later, after), partial(_is_over, after), seconds=3)
    target.clean_up(
        imports.undo_all,
        "the import of two contacts may still be running: after its end, delete the contacts with the numbers "
        "+1 202 555 0188 and +1 202 555 0189 in Retell's dashboard",
    )
    first = yield from imports.send(endpoints.create_contact_import(uploads[0], column_mapping=_MAPPING))
    second = yield from imports.send(
        endpoints.create_contact_import(uploads[1], column_mapping=_MAPPING), _BUSY
    )
    return first, second, after


def _later(after: float | None) -> Flow[list[float]]:
    """Return the start of the latest import, if it is after that of another one."""
    start = (yield from ask(endpoints.get_contact_import())).start_timestamp
    return [] if start is None or (after is not None and start <= after) else [start]


def _is_over(after: float | None, _start: object = None) -> Flow[bool]:
    """Return True if an import that started after another one has ended."""
    poll: Poll = yield from ContactImportEnded(None, after).poll()
    return poll.done


def _started(response: Response) -> ContactImport:
    return result(endpoints.create_contact_import("x", column_mapping=_MAPPING), response)


def _latest(after: float | None) -> Flow[ContactImport]:
    """Return the latest import, after the end of one that started after another one."""
    if not (yield from _is_over(after)):
        raise NotYetError("the import is still running", seconds=10)
    latest: ContactImport = yield from ask(endpoints.get_contact_import())
    return latest


def _ended(target: Target) -> Flow[list[Contact]]:
    """Return the contacts after the import."""
    first, _, after = yield from target.once(_start)
    _started(first)
    yield from _latest(after)
    contacts: list[Contact] = []
    for number in (_MARKED, _BLANK):
        contacts += (yield from with_number(number)).items
    if len(contacts) != 2:
        raise CannotTellError(f"{len(contacts)} of 2 contacts are listed")
    return contacts


@CHECKS.add(
    "contacts.import_starts",
    assumption="create-contact-import returns the import with the start time that it keeps.",
    matters="ImportContactsOperator recognizes its import by the start time.",
    source=page("create-contact-import"),
    question="Does the start time of a CSV import change when it begins to run?",
    otherwise="The operator recognizes the import by a start time after that of the import before it. If the time "
    "changes, the manifest has no counts.",
    flags=(IMPORT,),
    options=("contacts.import_start",),
)
def import_starts(target: Target) -> Flow[Finding]:
    """Start an import, and compare its start time after the end."""
    response, second, after = yield from target.once(_start)
    if not is_success(response):
        return differs(describe(response))
    started = _started(response)
    if started.start_timestamp is None:
        options = {"contacts.import_start": "absent"}
        return differs(f"{started.status} without start_timestamp", handled=True, options=options)
    latest = yield from _latest(after)
    if latest.start_timestamp == started.start_timestamp:
        return holds("start_timestamp", options={"contacts.import_start": "kept"})
    if is_success(second):
        raise CannotTellError("another import has started")
    options = {"contacts.import_start": "moved"}
    return differs("another start_timestamp", handled=True, options=options)


@CHECKS.add(
    "contacts.one_import_at_a_time",
    assumption="create-contact-import is rejected with 409 while an import is running.",
    matters="ImportContactsOperator waits for the imports of other clients.",
    source=NOT_DOCUMENTED,
    question="What does create-contact-import respond while an import is running?",
    otherwise="400 and 422 have the same meaning. If Retell accepts a second import, rows may be compared too early.",
    flags=(IMPORT,),
    options=("contacts.import_busy_status",),
)
def one_import_at_a_time(target: Target) -> Flow[Finding]:
    """Start a second import at once."""
    _, response, _ = yield from target.once(_start)
    return rejection(response, _BUSY, REJECTED, "contacts.import_busy_status")


@CHECKS.add(
    "contacts.import_reads_marks",
    assumption="An import reads `true` as a do-not-call mark.",
    matters="ImportContactsOperator sets marks.",
    source=NOT_DOCUMENTED,
    question="How does a CSV file write the do-not-call mark?",
    otherwise="The rows that set marks fail. SyncContactsOperator sets them without a file.",
    flags=(IMPORT,),
    options=("contacts.import_marks",),
)
def import_reads_marks(target: Target) -> Flow[Finding]:
    """Read the contact whose row has a mark."""
    marked, _ = yield from target.once(_ended)
    if marked.do_not_call:
        return holds("do_not_call is true", options={"contacts.import_marks": "words"})
    return differs("do_not_call is not true", handled=True, options={"contacts.import_marks": "digits"})


@CHECKS.add(
    "contacts.import_blanks",
    assumption="A blank cell of a file clears the field of the contact.",
    matters="ImportContactsOperator changes no field for which a row has no value.",
    source=NOT_DOCUMENTED,
    question="Does a blank cell of a CSV file clear the contact's field?",
    otherwise="The operator puts the contact's own value into the cell.",
    flags=(IMPORT,),
    options=("contacts.import_blanks",),
)
def import_blanks(target: Target) -> Flow[Finding]:
    """Read the contact whose row has blank cells."""
    _, blank = yield from target.once(_ended)
    if not blank.last_name:
        return holds("no last_name", options={"contacts.import_blanks": "clear"})
    return differs("the last_name is kept", handled=True, options={"contacts.import_blanks": "keep"})
