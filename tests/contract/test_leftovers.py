"""Objects that the checks create are deleted, or reported if that is impossible."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from broken_server import change, change_json, no_effect, replace, without_filter
from contract_account import BY_NAME, RESTRICTED, account, check_account, settings, target

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.contract.clients import Clients
from airflow_provider_retell.contract.runner import run_checks
from airflow_provider_retell.emulator import Emulator, Fault

FICTIONAL = ("+12025550187", "+12025550188", "+12025550189")


@pytest.fixture
def emulator() -> Any:
    with account() as emulator, no_waiting(emulator.clock.advance):
        yield emulator


def left(emulator: Emulator) -> dict[str, Any]:
    """Return the objects that only the checks can have created."""
    return {
        "contacts": [
            contact["phone_number"]
            for contact in emulator.contacts.values()
            if contact["phone_number"] in FICTIONAL
        ],
        "knowledge bases": sorted(emulator.knowledge_bases.keys() - {"knowledge_base_one"}),
        "test cases": sorted(emulator.test_cases.keys() - {"test_case_one"}),
        "versions": sorted(emulator.agents["agent_one"].versions.keys() - {0}),
        "calls": [call["call_id"] for call in emulator.placed if call["call_status"] != "ended"],
    }


NOTHING: dict[str, Any] = {
    "contacts": [],
    "knowledge bases": [],
    "test cases": [],
    "versions": [],
    "calls": [],
}

# A check that creates an object, by endpoint.
CREATIONS = {
    "create-contact": "contacts.create_returns_contact",
    "create-knowledge-base": "knowledge_bases.create_accepts_form",
    "create-agent-version": "agents.fork_is_a_draft",
    "create-test-case-definition": "simulations.update_keeps_other_fields",
    "create-batch-call": "calls.batch_returns_id",
    "create-phone-call": "calls.place_returns_call",
}


def struck(fault: Fault, times: int) -> Callable[[Emulator, str], object]:
    return lambda emulator, route: emulator.faults.add(fault, route=route, times=times)


def blocked(response: Any, _: Any) -> Any:
    """A page of a proxy in place of the response."""
    return dataclasses.replace(response, status=403, body=b"<html>blocked</html>", content_type="text/html")


# The ways in which a creation, or the response to it, is lost.
TROUBLES: dict[str, Callable[[Emulator, str], object]] = {
    "lost once": struck(Fault.drop_after(), 1),
    "lost": struck(Fault.drop_after(), 4),
    "truncated once": struck(Fault.truncate(), 1),
    "truncated": struck(Fault.truncate(), 4),
    "without an id": lambda emulator, route: change_json(route, lambda *_: {})(emulator),
    "blocked": lambda emulator, route: change(route, blocked)(emulator),
    **{f"rejected with {status}": struck(Fault.status(status), 0) for status in (400, 402, 403, 429)},
}


@pytest.mark.parametrize("route", CREATIONS)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_creation_in_trouble_leaves_no_object_and_nothing_to_report(
    emulator: Emulator, route: str, trouble: str
) -> None:
    emulator.options.honors_idempotency_key = False
    TROUBLES[trouble](emulator, route)
    check_account(emulator, only=(CREATIONS[route],))
    assert left(emulator) == NOTHING


@pytest.mark.parametrize("route", CREATIONS)
def test_an_object_that_may_exist_is_reported(emulator: Emulator, route: str) -> None:
    at = target()
    emulator.faults.add(Fault.drop(), route=route, times=4)
    check_account(emulator, only=(CREATIONS[route],), at=at)
    (failure,) = at.failures
    assert " may " in failure
    assert "Retell's dashboard" in failure


@pytest.mark.parametrize("route", CREATIONS)
def test_an_object_is_deleted_if_the_run_is_interrupted_during_its_creation(
    emulator: Emulator, route: str
) -> None:
    class Interrupted(Clients):
        def run(self, client: Any, flow: Any) -> Any:
            if emulator.count(route) or client != "key":
                return super().run(client, flow)

            def interrupted() -> Any:
                request = next(flow)
                while True:
                    response = yield request
                    if request.operation == route:
                        raise KeyboardInterrupt
                    try:
                        request = flow.send(response)
                    except StopIteration as end:
                        return end.value

            return super().run(client, interrupted())

    at = target()
    with Interrupted(settings(emulator), RESTRICTED) as clients, pytest.raises(KeyboardInterrupt):
        run_checks([BY_NAME[CREATIONS[route]]], at, clients.run)
    assert emulator.count(route) == 1
    assert (left(emulator), at.failures) == (NOTHING, [])


def test_a_draft_of_another_client_is_not_deleted_if_the_response_is_lost(emulator: Emulator) -> None:
    at = target()
    emulator.faults.add(Fault.drop(), route="create-agent-version", times=1)

    def fork(items: Any, _: Any) -> None:
        if emulator.count("create-agent-version") and 1 not in emulator.agents["agent_one"].versions:
            emulator.add_agent_version("agent_one", voice_id="another voice")

    change_json("list-agent-versions", fork)(emulator)
    check_account(emulator, only=("agents.fork_is_a_draft",), at=at)
    assert left(emulator)["versions"] == [1]
    assert len(at.failures) == 1


def accept_existing_numbers(emulator: Emulator) -> None:
    """Let create-contact create a second contact with the number of another one."""

    def wrap(endpoint: Any) -> Any:
        def create(organization: Any, request: Any) -> Any:
            organization.contact_backend._ids.pop(request.body["phone_number"], None)
            return endpoint(organization, request)

        return create

    replace("create-contact", wrap)(emulator)


def test_a_second_contact_with_the_same_number_is_deleted(emulator: Emulator) -> None:
    accept_existing_numbers(emulator)
    name = "contacts.existing_number"
    finding = check_account(emulator, only=(name,))[name].finding
    assert (finding.verdict, finding.seen) == ("differs", "201")
    assert left(emulator) == NOTHING


def test_a_contact_that_a_server_only_pretends_to_delete_is_reported(emulator: Emulator) -> None:
    at = target()
    no_effect("delete-contact", 204)(emulator)
    check_account(emulator, only=("contacts.create_returns_contact",), at=at)
    assert at.failures == [
        "a contact with the number +1 202 555 0187 may still exist: delete it in Retell's dashboard"
    ]


def test_the_contacts_of_others_are_not_deleted_if_the_filter_is_ignored(emulator: Emulator) -> None:
    without_filter("phone_number", "list-contacts")(emulator)
    emulator.faults.add(Fault.drop_after(), route="create-contact", times=1)
    check_account(emulator, only=("contacts.create_returns_contact",))
    assert [contact["phone_number"] for contact in emulator.contacts.values()] == ["+14155550123"]


# -- imports

IMPORTS = (
    "contacts.import_starts",
    "contacts.one_import_at_a_time",
    "contacts.import_reads_marks",
    "contacts.import_blanks",
)


def wait_for_import(emulator: Emulator) -> None:
    emulator.clock.advance(1000)
    assert emulator.contact_imports


@pytest.mark.parametrize("name", IMPORTS)
@pytest.mark.parametrize(
    "options",
    [
        {"import_seconds": 30.0},
        {"import_seconds": 30.0, "import_queue_seconds": 30.0, "import_queued_start": False},
        {"import_seconds": 30.0, "import_lag": 20.0},
        {"import_seconds": 1.0, "import_lag": 20.0},
    ],
)
def test_contacts_are_deleted_after_the_end_of_the_import(
    emulator: Emulator, name: str, options: dict[str, Any]
) -> None:
    for option, value in options.items():
        setattr(emulator.options.contacts, option, value)
    found = check_account(emulator, only=(name,))[name].finding
    assert found.verdict == "holds" or "without start_timestamp" in found.seen
    assert left(emulator) == NOTHING
    wait_for_import(emulator)
    assert left(emulator) == NOTHING


@pytest.mark.parametrize("fault", [Fault.drop_after(), Fault.truncate()], ids=["drop", "truncate"])
def test_contacts_are_deleted_if_the_response_to_an_import_is_lost(emulator: Emulator, fault: Fault) -> None:
    emulator.options.contacts.import_seconds = 30
    emulator.options.contacts.import_lag = 10
    emulator.faults.add(fault, route="create-contact-import", times=1)
    check_account(emulator, only=("contacts.import_starts",))
    wait_for_import(emulator)
    assert left(emulator) == NOTHING


def test_contacts_are_deleted_if_the_wait_for_an_import_is_interrupted(emulator: Emulator) -> None:
    emulator.options.contacts.import_seconds = 30
    at = target()
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        emulator.clock.advance(seconds)
        if len(waits) == 1:
            raise KeyboardInterrupt

    with (
        no_waiting(sleep),
        Clients(settings(emulator), RESTRICTED) as clients,
        pytest.raises(KeyboardInterrupt),
    ):
        run_checks([BY_NAME["contacts.import_blanks"]], at, clients.run)
    assert len(waits) > 1
    wait_for_import(emulator)
    assert (left(emulator), at.failures) == (NOTHING, [])


def test_an_import_that_does_not_end_is_reported(emulator: Emulator) -> None:
    emulator.options.contacts.import_seconds = 10**6
    at = target()
    check_account(emulator, only=("contacts.import_starts",), at=at)
    (failure,) = at.failures
    assert failure == (
        "the import of two contacts may still be running: after its end, delete the contacts with the numbers "
        "+1 202 555 0188 and +1 202 555 0189 in Retell's dashboard"
    )
    assert left(emulator) == NOTHING


def test_an_import_that_retell_rejects_is_not_waited_for(emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(402), route="create-contact-import", times=0)
    check_account(emulator, only=("contacts.import_starts",))
    assert emulator.count("get-contact-import") == 1
    assert left(emulator) == NOTHING


# -- interruptions of the deletion


def test_an_interrupted_deletion_reports_all_objects_that_remain(emulator: Emulator) -> None:
    class Interrupted(Clients):
        def run(self, client: Any, flow: Any) -> Any:
            if emulator.count("create-knowledge-base"):
                raise KeyboardInterrupt
            return super().run(client, flow)

    at = target()
    names = ("contacts.create_returns_contact", "knowledge_bases.create_accepts_form")
    with Interrupted(settings(emulator), RESTRICTED) as clients, pytest.raises(KeyboardInterrupt):
        run_checks([BY_NAME[name] for name in (*names, "contacts.list_by_number")], at, clients.run)
    knowledge_base, contact = at.failures
    assert "knowledge base 'airflow contract check" in knowledge_base
    assert "+1 202 555 0187" in contact
    assert at.at_end == []


def test_a_quota_that_is_used_up_does_not_prevent_the_deletion(emulator: Emulator) -> None:
    emulator.options.throttle_headers = "none"
    emulator.faults.add(Fault.drop_after(), route="create-contact", times=1)
    emulator.faults.add(Fault.status(429), route="list-contacts", after=1, times=8)
    check_account(emulator, only=("contacts.create_returns_contact",))
    assert left(emulator) == NOTHING
