"""The files and headers that the app of the report page serves, and the link to the page."""

from __future__ import annotations

import asyncio
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell import report_page
from airflow_provider_retell.links.report import RetellReportLink
from airflow_provider_retell.report_page.address import page_url
from airflow_provider_retell.report_page.app import ReportPage, is_page

AIRFLOW = tuple(map(int, version("apache-airflow").split(".")[:2]))
STATIC = Path(report_page.__file__).parent / "static"
MOUNTS = [
    "/retell",
    "/team/a/retell",
    "",
    "/reports/retell",
    "/report-prod/retell",
    "/airflow/reporting/retell",
    "/report/retell",
    "/report/x.y/retell",
]


def ask(path: str, method: str = "GET", kind: str = "http") -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a response."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        raise AssertionError

    asyncio.run(ReportPage()({"type": kind, "path": path, "method": method}, receive, send))
    if kind != "http":
        return 0, {}, str(sent).encode()
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, body["body"]


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/report", "text/html; charset=utf-8"),
        ("/report/report.css", "text/css; charset=utf-8"),
        ("/report/report.js", "text/javascript; charset=utf-8"),
        ("/report/icon.svg", "image/svg+xml"),
    ],
)
def test_the_files_are_served_with_headers_that_forbid_everything_else(
    mount: str, path: str, content_type: str
) -> None:
    assert is_page({"type": "http", "path": mount + path})
    status, headers, body = ask(mount + path)
    name = path.removeprefix("/report").removeprefix("/") or "report.html"
    assert (status, headers["content-type"]) == (200, content_type)
    assert body == (STATIC / name).read_bytes()
    assert headers["content-length"] == str(len(body))
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/report/",
        "/report/app.py",
        "/report/../app.py",
        "/report/none.js",
        "/other",
        "/report/report/report.js.x",
    ],
)
def test_no_other_file_is_served(path: str) -> None:
    status, headers, body = ask("/retell" + path)
    assert (status, body) == (404, b"Not found\n")
    assert "content-security-policy" in headers


def test_only_reading_is_allowed() -> None:
    status, headers, _ = ask("/retell/report", "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    status, headers, body = ask("/retell/report", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0
    assert b"websocket.close" in ask("/retell/report", kind="websocket")[2]


@pytest.mark.parametrize("path", ["/retell/webhook", "/retell/report/x/y.js", "/retell/reports"])
def test_other_addresses_are_left_to_the_webhook_receiver(path: str) -> None:
    assert not is_page({"type": "http", "path": path})


def test_the_page_has_no_inline_code_no_foreign_host_and_no_html_from_values() -> None:
    for path in STATIC.iterdir():
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text), path
        hosts = set(re.findall(r"https?://([\w.]+)", text))
        assert hosts <= {"dashboard.retellai.com", "www.w3.org"}, path
    page = (STATIC / "report.html").read_text()
    assert re.findall(r"<(?:script|style)[^>]*>", page) == ['<script type="module" src="report/report.js">']
    assert not re.search(r"\s(style|on\w+)=", page)


def test_every_file_that_the_page_loads_exists() -> None:
    loaded = re.findall(r'"report/([\w.]+)"', (STATIC / "report.html").read_text())
    for path in STATIC.glob("*.js"):
        loaded += re.findall(r'from "\./([\w.]+)"', path.read_text())
    assert set(loaded) | {"report.html"} == {path.name for path in STATIC.iterdir()}


class Key:
    dag_id, run_id, task_id, map_index = "d", "manual__2026-11-29T06:00:00+00:00", "group.enrich", 3


def link() -> str:
    return RetellReportLink().get_link(None, ti_key=Key())


@pytest.mark.skipif(AIRFLOW < (3, 1), reason="needs Airflow 3.1")
def test_the_link_names_the_task_and_has_the_path_of_the_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    query = "dag_id=d&run_id=manual__2026-11-29T06%3A00%3A00%2B00%3A00&task_id=group.enrich&map_index=3"
    monkeypatch.delenv("AIRFLOW__API__BASE_URL", raising=False)
    assert link() == f"/retell/report?{query}"
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://localhost:8080/team/a/")
    assert link() == f"/team/a/retell/report?{query}"
    assert (
        page_url("a&b", "r", "t", -1) == "/team/a/retell/report?dag_id=a%26b&run_id=r&task_id=t&map_index=-1"
    )
    monkeypatch.setenv("AIRFLOW__RETELL__REPORT_PAGE", "False")
    assert link() == ""


@pytest.mark.skipif(AIRFLOW >= (3, 1), reason="needs Airflow 2 or 3.0")
def test_before_airflow_3_1_there_is_no_link() -> None:
    assert link() == ""
