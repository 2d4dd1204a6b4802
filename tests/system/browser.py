"""A browser for the tests: Debian's Chromium, driven by Playwright, with a record of its responses and errors."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error, expect, sync_playwright

from sandbox import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Route

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # Pages can reach only this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SIZE = {"width": 1280, "height": 800}
SECONDS = 120
"""The default limit of all waits for the page."""

# Airflow 3.3.2 does not ship this file of the editor that shows rendered templates.
AIRFLOWS_OWN_FAULTS = re.compile(r"/static/wasm/sqlparser_rs_wasm\.js$")


class Browser:
    """One window, and the responses and errors since :meth:`open`.

    :ivar page: the page that is open.
    :ivar said: the body of each answer, Airflow's own static files aside, with its URL.
    :ivar complaints: errors on the console and exceptions in the page.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.said: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        # Not an event handler, because the body of a response is lost when the page navigates.
        context.route(re.compile(f"^{re.escape(url)}/(?!static/)"), self._hear)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page: Page = context.new_page()

    def open(self, path: str) -> Page:
        """Open a page of Airflow."""
        self.said.clear()
        self.complaints.clear()
        self.page.goto(self.url + path)
        return self.page

    def _hear(self, route: Route) -> None:
        if route.request.resource_type == "document":  # may be a redirect, which a route cannot fulfill
            route.continue_()
            return
        try:
            response = route.fetch(max_redirects=0)
            self.said.append((route.request.url, response.text()))
            route.fulfill(response=response)
        except Error:
            # The page has navigated away and has not seen the response.
            if not route.request.frame.is_detached() and not route.request.frame.page.is_closed():
                raise

    def _console(self, message: ConsoleMessage) -> None:
        where = message.location["url"]
        if message.type == "error" and not AIRFLOWS_OWN_FAULTS.search(where):
            self.complaints.append(f"{message.text} ({where})")

    def heard(self, text: str) -> list[str]:
        """Return the URLs of the responses that contain *text*, in upper or lower case."""
        return [url for url, body in self.said if text.lower() in body.lower()]

    def picture(self, name: str) -> None:
        """Take a screenshot for the documentation if RETELL_SCREENSHOTS names a folder."""
        if folder := os.environ.get("RETELL_SCREENSHOTS"):
            self.page.screenshot(path=ROOT / folder / f"{name}.png", animations="disabled")

    def save(self, folder: Path) -> str:
        """Save a screenshot and the page's text, and return their paths."""
        self.page.screenshot(path=folder / "page.png", animations="disabled")
        body = self.page.locator("body")
        shown = f"{self.page.url}\n\n{body.inner_text()}\n\n{body.aria_snapshot()}"
        (folder / "page.txt").write_text(shown, encoding="utf-8")
        return f"{folder / 'page.png'}\n{folder / 'page.txt'}\nconsole: {self.complaints}"


@contextmanager
def chromium(url: str) -> Iterator[Browser]:
    """Open a browser."""
    program = shutil.which("chromium")
    assert program, "Chromium is not installed: `make system-test` installs it on Debian and Ubuntu, as root"
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            context = browser.new_context(viewport=SIZE, locale="en-US", timezone_id="UTC")
            context.set_default_timeout(SECONDS * 1000)
            yield Browser(context, url)
        finally:
            browser.close()


def lines(place: Locator) -> list[str]:
    """Return the lines of text of an element."""
    return [line.strip() for line in place.inner_text().splitlines() if line.strip()]
