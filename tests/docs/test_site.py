"""The built site in a browser that reaches nothing else: what it shows and finds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.docs.pages import ROOT

pytestmark = pytest.mark.site

SITE = ROOT / "build" / "docs" / "site"
FOUND = """
const found = [];
const look = (node) => {
  for (const each of node.querySelectorAll("*")) {
    if (each.shadowRoot) look(each.shadowRoot);
    if (each.tagName === "A" && each.href.includes("?h=")) found.push(each.href);
  }
};
look(document);
return found;
"""
"""Where the results of a search lead; they are in a shadow of the page."""
READY = """
let focus = document.activeElement;
while (focus?.shadowRoot) focus = focus.shadowRoot.activeElement;
return focus?.tagName === "INPUT";
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Address of the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium that can reach this host alone."""
    binary, driver = "/usr/bin/chromium", "/usr/bin/chromedriver"
    if not (os.path.exists(binary) and os.path.exists(driver)):
        if os.environ.get("PAGES_REQUIRED"):
            pytest.fail("needs chromium and chromium-driver")
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1300,1000",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as chrome:
        yield chrome


def wait(browser: webdriver.Chrome, fact: Callable[[webdriver.Chrome], Any]) -> Any:
    return WebDriverWait(browser, 10).until(fact)


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("transferência", "pt-BR/transferencias.html"),
        ("gravacoes", "pt-BR/gravacao.html"),
        ("silencio quem liga", "pt-BR/"),
        ("dead air", "monitoring.html"),
        ("recordings", "recording.html"),
        ("VOICE_AI_ESL_CAPACITY", "settings.html"),
        ("voice_ai_realtime_hub_lag_seconds", "metrics.html"),
    ],
)
def test_a_search_finds_the_page(
    site: str, browser: webdriver.Chrome, words: str, page: str
) -> None:
    browser.get(f"{site}/first-hour.html")
    wait(browser, lambda here: here.find_element(By.CSS_SELECTOR, ".md-search__button")).click()
    wait(browser, lambda here: here.execute_script(READY))
    browser.switch_to.active_element.send_keys(words)

    def leads_there(here: webdriver.Chrome) -> bool:
        found = here.execute_script(FOUND)
        return any(urlsplit(url).path.startswith(f"/{page}") for url in found)

    wait(browser, leads_there)
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)


@pytest.mark.parametrize(
    "page", ["index", "states", "pt-BR/index", "secretary", "fusionpbx", "project/readme"]
)
def test_a_page_asks_nobody_else(site: str, browser: webdriver.Chrome, page: str) -> None:
    browser.get(f"{site}/{page}.html")
    wait(browser, lambda here: here.find_element(By.CSS_SELECTOR, "article h1"))
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
    )
    assert [url for url in loaded if not url.startswith(site)] == []
    assert browser.get_log("browser") == []


def test_diagrams_are_drawn(site: str, browser: webdriver.Chrome) -> None:
    if not (SITE / "assets" / "mermaid.min.js").exists():
        pytest.skip("built without npm: diagrams are text")
    browser.get(f"{site}/states.html")
    wait(browser, lambda here: len(here.find_elements(By.CSS_SELECTOR, "div.mermaid")) == 5)
    drawn = browser.find_elements(By.CSS_SELECTOR, "div.mermaid")
    assert all(diagram.size["height"] > 200 for diagram in drawn)
