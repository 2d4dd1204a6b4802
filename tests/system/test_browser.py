"""Airflow's UI in a browser: the connection's form and Test button, the examples, their links and results."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from stack import AIRFLOW_VERSION, VERSION

from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import ROOT, SAMPLE_CALLS, connection, sqlite_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from browser import Browser
    from playwright.sync_api import Locator, Page
    from stack import Stack

if VERSION != (3, 3):
    pytest.skip(
        f"the UI differs with every Airflow; these tests know that of 3.3, and this is {AIRFLOW_VERSION}",
        allow_module_level=True,
    )

pytest.importorskip("playwright", reason="Playwright is in the dependency group 'system', with the servers")

from browser import chromium, lines
from playwright.sync_api import expect

KEY = f"key_{secrets.token_hex(12)}"
PHONE = "+14155550137"
ENRICH, BULK = "enrich_call_after_pipeline", "bulk_enrich_from_warehouse"
RUN_SECONDS = 300

STANDARD_FIELDS = ["Description", "Base URL (optional)", "API key", "Port (optional)"]
EXTRA_FIELDS = [
    "Timeout (seconds)",
    "How long a request waits for data from Retell before it fails. Default: 60.",
    "Connect timeout (seconds)",
    "How long a request waits for a connection to Retell before it fails. Default: 10.",
    "Quota (requests/seconds)",
    (
        "The requests that your plan allows on each route, such as 200/10 for 200 requests in 10 seconds. Default: "
        "100/10. Listing calls and placing calls have their own quotas."
    ),
    "List quota (requests/seconds)",
    (
        "The requests that your plan allows for listing calls, such as 60/10 for 60 requests in 10 seconds. Default: "
        "30/10."
    ),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(api_key=KEY) as emulator:
        for call_id in SAMPLE_CALLS:
            emulator.add_call(call_id=call_id, call_type="phone_call", from_number=PHONE, to_number=PHONE)
        yield emulator


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of Airflow, for relative paths."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def stack(airflow: Callable[..., AbstractContextManager[Stack]], folder: Path) -> Iterator[Stack]:
    with (
        pytest.MonkeyPatch.context() as patch,
        airflow(
            [ROOT / "example_dags" / f"{name}.py" for name in (ENRICH, BULK)],
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="True",
            AIRFLOW__CORE__TEST_CONNECTION="Enabled",
            AIRFLOW_CONN_WAREHOUSE=sqlite_connection(folder / "warehouse.db"),
            RETELL_REPORTS="reports",
        ) as stack,
    ):
        stack.add_plugin()
        patch.chdir(folder)
        stack.start_all()
        yield stack
        logs = "".join(path.read_text(errors="replace") for path in stack.home.rglob("*.log"))
        assert KEY not in logs


@pytest.fixture(scope="module")
def window(stack: Stack) -> Iterator[Browser]:
    with chromium(stack.url) as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, tmp_path: Path) -> Iterator[Browser]:
    """The browser. A test fails if a response contains the API key, or if the page logs an error."""
    yield window
    assert window.said
    assert window.heard(KEY) == []
    assert window.complaints == []


def slug(name: str) -> str:
    """Return an id for a connection."""
    return name.replace(" ", "_")


def store(stack: Stack, conn_id: str, url: str, key: str = KEY, **extra: Any) -> None:
    """Create or replace a connection through the REST API."""
    headers = {"Authorization": f"Bearer {stack.token()}", "Content-Type": "application/json"}
    stack.request("DELETE", f"/api/v2/connections/{slug(conn_id)}", **headers)
    body = {**json.loads(connection(url, key, **extra)), "connection_id": slug(conn_id)}
    status, said = stack.request("POST", "/api/v2/connections", json.dumps(body).encode(), **headers)
    assert status == 201, said


def press_test(browser: Browser, conn_id: str) -> Locator:
    """Press the Test button of a connection in the list, and return the text of the notice."""
    page = browser.page
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=slug(conn_id), exact=True))
    # With the keyboard, because notices of earlier tests can cover the button and stay while the mouse is over them.
    page.mouse.move(0, 0)
    row.get_by_role("button", name="Test Connection").press("Enter")
    return page.get_by_role("status").filter(has_text="Test Connection")


# -- the connection


def test_a_user_adds_a_connection_tests_it_and_corrects_the_key(
    stack: Stack, browser: Browser, emulator: Emulator
) -> None:
    page = browser.open("/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill("retell_default")
    form.get_by_label("Connection Type").fill("Retell")
    page.get_by_role("option", name="Retell AI", exact=True).click()

    standard = form.get_by_role("region", name="Standard Fields")
    assert lines(standard) == STANDARD_FIELDS
    host, port, key = (form.get_by_label(label) for label in (*STANDARD_FIELDS[1:2], "Port", "API key"))
    expect(host).to_have_attribute("placeholder", "https://api.retellai.com")
    expect(port).to_have_attribute("placeholder", "443 (required by Test in Airflow 3.3)")
    expect(key).to_have_attribute("placeholder", "key_...")
    key.fill("key_that_is_wrong")
    expect(key).to_have_attribute("type", "password")
    form.get_by_role("button", name="Show value").click()
    expect(key).to_have_attribute("type", "text")
    form.get_by_role("button", name="Hide value").click()
    expect(key).to_have_attribute("type", "password")
    port.fill("443")
    form.get_by_label("Description").fill("Retell, production workspace")
    browser.picture("connection-form")
    address, _, number = emulator.url.rpartition(":")
    host.fill(address)
    port.fill(number)

    form.get_by_role("button", name="Extra Fields", exact=True).click()
    extra = form.get_by_role("region").filter(has=page.get_by_label("Connect timeout (seconds)"))
    expect(extra.get_by_label("Timeout (seconds)", exact=True)).to_be_visible()
    assert lines(extra) == EXTRA_FIELDS
    extra.get_by_label("Timeout (seconds)", exact=True).fill("30")
    quota = extra.get_by_role("group").filter(has=page.get_by_text("Quota (requests/seconds)", exact=True))
    quota.get_by_role("textbox").fill("50/10")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status", name="Create Connection Request Submitted")).to_be_visible()

    expected = {
        **{"conn_type": "retell", "host": address, "port": int(number), "login": None, "schema": None},
        **{"description": "Retell, production workspace", "password": "***"},
    }
    stored = stack.api("GET", "/connections/retell_default")
    assert {name: stored[name] for name in expected} == expected
    assert given(stored) == {"timeout": 30, "quota": "50/10"}
    expect(press_test(browser, "retell_default")).to_contain_text("Retell does not accept this API key")

    page = browser.open("/connections")
    row = page.get_by_role("row", name="retell_default retell")
    row.get_by_role("button", name="Edit Connection").click()
    key = form.get_by_label("API key")
    expect(key).to_have_value("***")
    key.fill(KEY)
    expect(key).to_have_attribute("type", "password")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status", name=re.compile("Update Connection"))).to_be_visible()
    expect(form).to_be_hidden()
    assert KEY not in page.content()
    assert given(stack.api("GET", "/connections/retell_default")) == {"timeout": 30, "quota": "50/10"}

    page = browser.open("/connections")
    notice = press_test(browser, "retell_default")
    expect(notice).to_contain_text("Test Connection Successful")
    expect(notice).to_contain_text(f"Connected to the Retell organization '{emulator.organization.name}'.")
    assert KEY not in page.content()
    browser.picture("connection-test")
    row.get_by_role("button", name="Edit Connection").click()
    form.get_by_role("button", name="Show value").click()
    expect(form.get_by_label("API key")).to_have_value("***")
    assert KEY not in page.content()


def given(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the extra fields of a connection that have a value."""
    return {name: value for name, value in json.loads(stored["extra"]).items() if value not in (None, "")}


HANGING, RESTRICTED = "a server that hangs", "a restricted key"
# Changes of a connection, and the notice of the Test button for each. The tests of hooks have all notices.
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "no key": (
        {"key": ""},
        "This connection has no API key: copy it from Retell's dashboard (API Keys) into the field 'API key'",
    ),
    "a wrong key": ({"key": "key_other"}, "Retell does not accept this API key: copy it again"),
    "a quota that is none": ({"quota": "many"}, "the quota must have the form '100/10'"),
    HANGING: ({"timeout": "1"}, "no answer within 1 s"),
}


@pytest.fixture(scope="module")
def connections(stack: Stack, emulator: Emulator, window: Browser) -> Iterator[None]:
    """Create a connection for some kinds of failures, and open the page that lists them."""
    with Emulator(api_key=KEY) as hanging:
        hanging.faults.add(Fault.hang(), times=0)
        for name, (fields, _) in REFUSALS.items():
            store(stack, name, **{"url": (hanging if name == HANGING else emulator).url, **fields})
        emulator.add_key("key_restricted", {"history": "read"}, api_key_info=False)
        store(stack, RESTRICTED, emulator.url, "key_restricted")
        window.open("/connections")
        yield


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize("case", REFUSALS)
def test_the_test_button_names_the_cause_of_a_failure(browser: Browser, case: str) -> None:
    notice = press_test(browser, case).filter(has_text=REFUSALS[case][1])
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("Test Connection Failed")


@pytest.mark.usefixtures("connections")
def test_a_key_without_permission_to_read_its_own_name_works(browser: Browser) -> None:
    notice = press_test(browser, RESTRICTED).filter(has_text="Connected to Retell with a restricted API key")
    expect(notice).to_contain_text("Test Connection Successful")


# -- the examples


@pytest.fixture(scope="module")
def scheduled(stack: Stack, emulator: Emulator) -> None:
    """Unpause the examples, and wait for their scheduled runs."""
    store(stack, "retell_default", emulator.url)
    for dag_id in (ENRICH, BULK):
        query = f"select 1 from dag where dag_id = '{dag_id}'"
        stack.wait("the DAG is parsed", lambda q=query: stack.rows(q))
        stack.api("PATCH", f"/dags/{dag_id}?update_mask=is_paused", is_paused=False)
    over = "select distinct dag_id from dag_run where state in ('success', 'failed')"
    stack.wait("the scheduled runs have ended", lambda: len(stack.rows(over)) == 2)


@pytest.fixture
def example(scheduled: None, emulator: Emulator) -> None:
    """Reset the calls to their state before the first run."""
    for call_id, metadata in SAMPLE_CALLS.items():
        emulator.calls[call_id]["metadata"] = dict(metadata)


def trigger(browser: Browser, dag_id: str, tasks: int, **params: str) -> None:
    """Trigger a DAG, and wait until all its tasks have succeeded."""
    page = browser.open("/dags")
    page.get_by_role("link", name=dag_id, exact=True).click()
    expect(page.get_by_role("heading", name=dag_id, exact=True)).to_be_visible()
    page.get_by_role("button", name="Trigger Dag", exact=True).click()
    form = page.get_by_role("dialog")
    for name, value in params.items():
        field = (
            form.get_by_role("group").filter(has=page.get_by_text(name, exact=True)).get_by_role("textbox")
        )
        expect(field).to_have_value("autumn")
        field.fill(value)
    form.get_by_role("button", name="Trigger").click()
    expect(page.get_by_role("heading", name=re.compile("^manual__"))).to_be_visible()
    expect(page.get_by_role("heading", name=f"{tasks} Task Instances")).to_be_visible(
        timeout=RUN_SECONDS * 1000
    )
    # One for each task, and one for the run.
    expect(page.get_by_text("Success", exact=True)).to_have_count(tasks + 1, timeout=RUN_SECONDS * 1000)


@pytest.mark.usefixtures("example")
def test_a_user_triggers_the_example_and_follows_its_link(browser: Browser, emulator: Emulator) -> None:
    trigger(browser, ENRICH, 8, campaign="winter")
    browser.picture("run")
    page = browser.page
    assert emulator.calls["call_5d2e03"]["metadata"]["campaign"] == "winter"
    assert emulator.calls["call_5d2e03"]["metadata"]["follow_up"] == "gold customer at risk"

    page.get_by_role("table").get_by_role("link", name="flag_follow_up").click()
    expect(page.get_by_text("Call call_5d2e03: wrote")).to_be_visible()

    page.get_by_role("link", name="Rendered Templates", exact=True).click()
    metadata = page.get_by_role("row").filter(has=page.get_by_role("cell", name="metadata", exact=True))
    code = metadata.get_by_role("code")
    expect(code).to_contain_text("follow_up")
    assert shown(code) == {"campaign": "***", "enriched_on": "***", "follow_up": "***"}

    page.get_by_role("link", name="Details", exact=True).click()
    followed: list[str] = []
    elsewhere = re.compile(r"^https://(?!127\.0\.0\.1)")

    def follow(route: Any) -> None:
        followed.append(route.request.url)
        route.fulfill(content_type="text/html", body="<h1>The dashboard</h1>")

    browser.context.route(elsewhere, follow)
    with browser.context.expect_page() as opened:
        page.get_by_role("link", name="Retell call", exact=True).click()
    expect(opened.value.get_by_role("heading", name="The dashboard")).to_be_visible()
    opened.value.close()
    browser.context.unroute(elsewhere)
    assert followed == ["https://dashboard.retellai.com/call-history?history=call_5d2e03"]
    for private in ("gold customer at risk", PHONE):
        assert browser.heard(private) == []


def shown(code: Locator) -> Any:
    """Return the JSON that an element shows, without line numbers."""
    return json.loads(re.sub(r"(?m)^\s*\d+(?=\s*[{}\"\s])", "", code.inner_text().replace("\xa0", " ")))


def open_xcom(page: Page, task_id: str) -> None:
    """Open the XComs of a task from the page of its run."""
    page.get_by_role("table").get_by_role("link", name=task_id, exact=True).click()
    page.get_by_role("link", name="Storage", exact=True).click()
    page.get_by_role("link", name="XCom", exact=True).click()


@pytest.mark.usefixtures("example")
def test_a_user_triggers_the_bulk_example_and_reads_its_report(
    browser: Browser, emulator: Emulator, folder: Path
) -> None:
    trigger(browser, BULK, 3)
    page = browser.page
    assert emulator.calls["call_5d2e04"]["metadata"]["customer_segment"] == "new"
    page.get_by_role("table").get_by_role("link", name="enrich_calls", exact=True).click()
    page.get_by_role("link", name="Details", exact=True).click()
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_role("heading", name="All 4 rows succeeded")).to_be_visible()
    path = page.get_by_text(re.compile("^reports/retell_")).inner_text()
    report = [json.loads(line) for line in (folder / path).read_text().splitlines()]
    assert sorted((line["call_id"], line["outcome"]) for line in report) == [
        (f"call_5d2e0{number}", "updated") for number in (1, 2, 3, 4)
    ]

    page.get_by_role("link", name="enrich_calls", exact=True).click()
    page.get_by_role("navigation", name="breadcrumb").get_by_role(
        "link", name=re.compile("^manual__")
    ).click()
    open_xcom(page, "summarize")
    expect(page.get_by_text("4 of 4 calls updated, 0 were up to date")).to_be_visible()
    for private in ("undecided", "at risk", "loyal", PHONE):
        assert browser.heard(private) == []
