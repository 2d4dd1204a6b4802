"""The report page in Airflow's UI: its links, its content, and its messages for users without permission."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from stack import VERSION

from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from browser import Browser
    from playwright.sync_api import Page
    from stack import Stack

if VERSION < (3, 1):
    pytest.skip("Airflow 2 and 3.0 have no report page", allow_module_level=True)
pytest.importorskip("playwright", reason="Playwright is in the dependency group 'system', with the servers")

from browser import chromium
from playwright.sync_api import expect

RUN = "manual__2026-11-29T06:00:00+00:00"
PATH = "/team/a"
REJECTION = {"status": "error", "message": "Metadata key 'tier' is reserved"}
FAILURES = {
    7: ("call_5d2e0007", "invalid"),
    13: ("call_9f070012", "not found"),
    27: ("call_9f070025", "not found"),
    33: ("call_5d2e0031", "invalid"),
    43: ("call_9f070040", "not found"),
    64: ("call_5d2e0061", "not ended"),
    65: ("call_5d2e0062", "invalid"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Airflow runs: relative paths start there."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def stack(airflow: Callable[..., AbstractContextManager[Stack]], folder: Path) -> Iterator[Stack]:
    with (
        Emulator() as emulator,
        pytest.MonkeyPatch.context() as patch,
        airflow(
            [ROOT / "tests/system/report_dags"],
            path=PATH,
            AIRFLOW_CONN_RETELL_DEFAULT=connection(emulator.url, emulator.api_key),
            RETELL_REPORTS="reports",
        ) as stack,
    ):
        patch.chdir(folder)
        for number in range(1, 63):
            status = "ongoing" if number == 61 else "ended"
            emulator.add_call(
                call_id=f"call_5d2e{number:04}", call_status=status, metadata={"tier": "silver"}
            )
        emulator.faults.add(Fault.status(400, body=REJECTION), route="update-call", times=2)
        stack.add_users(admin="admin", guest="")
        stack.add_plugin()
        stack.start_all()
        stack.run("enrich_calls", RUN)
        stack.wait_for_run(RUN)
        yield stack


@pytest.fixture(scope="module")
def window(stack: Stack) -> Iterator[Browser]:
    with chromium(stack.url) as browser:
        browser.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
        yield browser


@pytest.fixture
def browser(window: Browser, stack: Stack) -> Iterator[Browser]:
    """The browser, with the session of the administrator; the page must not complain in any test."""
    sign_in(window, stack, "admin")
    yield window
    assert window.complaints == []


def sign_in(browser: Browser, stack: Stack, user: str) -> None:
    browser.context.clear_cookies()
    browser.context.add_cookies([{"name": "_token", "value": stack.token(user), "url": stack.url}])


def report_of(task_id: str, map_index: int | str = -1, run_id: str = quote(RUN, safe="")) -> str:
    return f"/retell/report?dag_id=enrich_calls&run_id={run_id}&task_id={task_id}&map_index={map_index}"


def verdict(page: Page) -> str:
    heading = page.locator("#verdict h2")
    expect(heading).to_be_visible()
    return heading.inner_text()


def rows_of(page: Page) -> list[list[str]]:
    return [[cell.inner_text() for cell in row.locator("td").all()] for row in page.locator("tbody tr").all()]


def test_a_person_follows_the_link_and_sees_which_rows_failed_and_why(
    browser: Browser, stack: Stack, folder: Path
) -> None:
    page = browser.open(f"/dags/enrich_calls/runs/{quote(RUN, safe='')}/tasks/enrich/details")
    link = page.get_by_role("link", name="Report", exact=True)
    expect(link).to_have_attribute("href", PATH + report_of("enrich"))
    page = browser.open(report_of("enrich"))
    assert verdict(page) == f"{len(FAILURES) + 2} of 65 rows failed"
    expect(page.locator("#task")).to_have_text(f"enrich of DAG enrich_calls, run {RUN}")
    shown = {int(row): (call, outcome) for row, call, outcome, *_ in rows_of(page)}
    assert {row: shown[row] for row in FAILURES} == FAILURES
    assert sorted(outcome for row, (_, outcome) in shown.items() if row not in FAILURES) == ["failed"] * 2
    reasons = {row: reason for row, _, _, reason, _ in rows_of(page)}
    assert reasons["13"] == "the API key's organization has no such call"
    assert "metadata.ltv is NaN or infinite" in reasons["7"]
    href = page.get_by_role("link", name="call_9f070012").get_attribute("href")
    assert href == "https://dashboard.retellai.com/call-history?history=call_9f070012"
    path = "reports/enriched.jsonl"
    assert f'report_path="{path}"' in page.locator("#snippet code").inner_text()
    assert path in page.locator("#facts").inner_text()
    compile(page.locator("#snippet code").inner_text(), "snippet", "exec")
    report = [json.loads(line) for line in (folder / path).read_text().splitlines()]
    assert sorted(
        line["row"] for line in report if line["outcome"] not in ("updated", "unchanged")
    ) == sorted(shown)


@contextmanager
def other_xcom(browser: Browser, key: str, value: Any) -> Iterator[None]:
    """Let Airflow's API answer with another value of an XCom, as after a user has edited it."""
    address = re.compile(f"/xcomEntries/{key}")
    browser.page.route(address, lambda route: route.fulfill(json={"key": key, "value": value}))
    yield
    browser.page.unroute(address)


def test_html_in_any_value_is_shown_as_text(browser: Browser) -> None:
    script = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    row = {"row": script, "call_id": script, "outcome": script, "reason": script, "changed": [script]}
    with other_xcom(browser, "failures", [row]):
        page = browser.open(report_of("enrich"))
        verdict(page)
        assert [text.replace("_", " ") for text in rows_of(page)[0]] == [script] * 5
        assert page.locator("main script, main img").count() == 0
        assert "owned" not in page.title()
        href = page.locator("tbody a").get_attribute("href") or ""
        assert href.startswith("https://dashboard.retellai.com/call-history?history=%3Cscript%3E")


def test_rows_are_filtered_sorted_and_copied_with_the_keyboard(browser: Browser) -> None:
    page = browser.open(report_of("enrich"))
    verdict(page)
    page.get_by_label("Outcome", exact=True).focus()
    page.keyboard.type("not f")
    expect(page.locator("#shown")).to_have_text("3 of 9 rows shown")
    page.get_by_role("button", name="Row").press("Enter")
    expect(page.get_by_role("columnheader", name="Row")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Copy call ids").press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split() == [
        "call_9f070040",
        "call_9f070025",
        "call_9f070012",
    ]
    page.get_by_role("button", name="Copy as CSV").press("Enter")
    page.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('row,'))")
    header, first, *_ = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert header == "row,call_id,outcome,reason,changed"
    assert first == "43,call_9f070040,not_found,the API key's organization has no such call,"
    page.get_by_label("Outcome", exact=True).select_option("")
    page.get_by_label("Reason", exact=True).select_option(index=1)
    expect(page.locator("#shown")).to_have_text("3 of 9 rows shown")


def test_a_task_without_failed_rows_says_so(browser: Browser) -> None:
    page = browser.open(report_of("clean"))
    assert verdict(page) == "Dry run: 1 of 1 row would be sent"
    expect(page.locator("#verdict p")).to_have_text("1 would be updated. Nothing was sent to Retell.")
    expect(page.locator("#failures")).to_be_hidden()


def test_each_task_of_a_mapped_task_has_its_own_report(browser: Browser) -> None:
    page = browser.open(report_of("mapped", 0))
    assert verdict(page) == "All 1 row succeeded"
    page = browser.open(report_of("mapped", 1))
    assert verdict(page) == "1 of 1 row failed"
    assert rows_of(page)[0][1] == "call_missing_of_the_second"
    expect(page.locator("#task")).to_have_text(f"mapped [1] of DAG enrich_calls, run {RUN}")
    page.locator("#task a").click()
    expect(page).to_have_url(
        browser.url + f"/dags/enrich_calls/runs/{quote(RUN, safe='')}/tasks/mapped/mapped/1"
    )


def test_a_run_id_whose_plus_is_not_encoded_is_understood(browser: Browser) -> None:
    page = browser.open(report_of("clean", "{MAP_INDEX}", RUN))
    assert verdict(page).startswith("Dry run")


MESSAGES = {
    "no task": ("/retell/report", "No task"),
    "no such task": (report_of("other"), "No such task"),
    "no such run": (report_of("enrich", run_id="manual__other"), "No such task"),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_an_address_without_a_result_says_why(window: Browser, stack: Stack, case: str) -> None:
    sign_in(window, stack, "admin")
    address, title = MESSAGES[case]
    page = window.open(address)
    expect(page.locator("#message h2")).to_have_text(title)
    expect(page.locator("#result")).to_be_hidden()


def test_a_reader_without_permission_sees_no_data(window: Browser, stack: Stack) -> None:
    sign_in(window, stack, "guest")
    page = window.open(report_of("enrich"))
    expect(page.locator("#message")).to_contain_text("No permission")
    assert window.heard("call_9f07") == []


def test_without_a_session_every_request_is_refused_and_the_page_says_so(window: Browser) -> None:
    window.context.clear_cookies()
    page = window.open(report_of("enrich"))
    expect(page.locator("#message")).to_contain_text("Not signed in")
    expect(page.get_by_role("link", name="Sign in to Airflow")).to_have_attribute("href", f"{PATH}/")
    assert window.heard("call_9f07") == []
    refused = [url for url, _ in window.said if "/api/v2/" in url]
    assert len(refused) == 3
    for url in refused:
        assert window.context.request.get(url).status == 401


def test_a_reference_of_a_custom_xcom_backend_is_explained(browser: Browser) -> None:
    with other_xcom(browser, "manifest", "s3://xcoms/1234"):
        page = browser.open(report_of("clean"))
        expect(page.locator("#message h2")).to_have_text("The result is stored elsewhere")


def test_the_page_follows_the_theme_and_fits_a_narrow_window(browser: Browser) -> None:
    page = browser.open(report_of("enrich"))
    verdict(page)
    colors: dict[str, Any] = {}
    for theme in ("dark", "light"):
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        page.set_viewport_size({"width": 390, "height": 800})
        page.reload()
        verdict(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        colors[theme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.set_viewport_size({"width": 1120, "height": 1400})
    browser.picture("report-page")
    page.evaluate("localStorage.removeItem('theme')")
    page.set_viewport_size({"width": 1280, "height": 800})
    assert colors == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}


@pytest.mark.skipif(VERSION < (3, 4), reason="needs Airflow 3.4")
def test_the_tab_shows_the_report_of_bulk_tasks(browser: Browser) -> None:
    page = browser.open(f"/dags/enrich_calls/runs/{quote(RUN, safe='')}/tasks/enrich")
    page.get_by_role("link", name="Retell report").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("#verdict h2")).to_have_text("9 of 65 rows failed")
    expect(frame.locator("#failures .note")).to_contain_text("To follow links to calls")


@pytest.mark.skipif(VERSION >= (3, 4), reason="Airflow 3.4 has the tab")
def test_there_is_no_tab_where_it_cannot_be_limited_to_bulk_tasks(stack: Stack) -> None:
    plugins = {each["name"]: each for each in stack.api("GET", "/plugins")["plugins"]}
    assert plugins["retell"]["external_views"] == []


def test_the_table_of_failed_rows_is_in_the_log(stack: Stack) -> None:
    assert "::group::Failed rows: 9" in stack.logs(RUN)
