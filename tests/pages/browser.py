"""Chromium, driven by chromedriver: one process for all tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

WAIT_S = 10.0


def missing() -> list[str]:
    """What the tests of the pages need and is not here."""
    needed = {
        "php": "php",
        "phpcs": "php-codesniffer",
        "chromium": "chromium",
        "chromedriver": "chromium-driver",
    }
    lacking = [package for program, package in needed.items() if shutil.which(program) is None]
    return lacking + ([] if importlib.util.find_spec("selenium") else ["selenium"])


class Browser:
    """Goes to pages of one web server."""

    def __init__(self, url: str, *arguments: str) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self.url = url
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for one in (
            "--headless=new",
            "--no-sandbox",  # of a container's root
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1280,900",
            "--autoplay-policy=no-user-gesture-required",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            *arguments,
        ):
            options.add_argument(one)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver: Any = webdriver.Chrome(options, Service(shutil.which("chromedriver")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def log_in(self, domain_uuid: str, **more: str) -> None:
        """Become a user of a domain."""
        # What the last page still asks would make a session of its own.
        self.open("/resources/paging.php")
        self.driver.delete_all_cookies()
        self.open(f"/login.php?{urlencode({'domain_uuid': domain_uuid, **more})}")
        self.complaints()

    def open(self, path: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self.driver.get(self.url + path)

    def find(self, css: str) -> Any:
        """The first element; raises when there is none."""
        return self.driver.find_element("css selector", css)

    def all(self, css: str) -> list[Any]:
        """Every element."""
        return list(self.driver.find_elements("css selector", css))

    def text(self, css: str = "body") -> str:
        """What can be read in it."""
        return str(self.find(css).text)

    def fill(self, name: str, value: str) -> None:
        """Put a value into a field, as typed."""
        self.driver.execute_script(
            """const f = document.getElementById(arguments[0]);
               const folded = f.closest('details');
               if (folded) { folded.open = true; }
               f.value = arguments[1];
               f.dispatchEvent(new Event('input', {bubbles: true}));
               f.dispatchEvent(new Event('change', {bubbles: true}));""",
            name,
            value,
        )

    def click(self, css: str) -> None:
        """Click on it, wherever it is on the page."""
        self.driver.execute_script("arguments[0].click()", self.find(css))

    def wait(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Until something is so; its value. Raises AssertionError with the page's text."""
        from selenium.common.exceptions import (
            NoSuchElementException,
            StaleElementReferenceException,
            TimeoutException,
        )
        from selenium.webdriver.support.wait import WebDriverWait

        ignored = (NoSuchElementException, StaleElementReferenceException)
        wait = WebDriverWait(self.driver, WAIT_S, 0.05, ignored)
        try:
            return wait.until(lambda _: condition())
        except TimeoutException as error:
            raise AssertionError(what or self.text()[:2000]) from error

    def press(self, *keys: str) -> None:
        """Keys by their names (`TAB`), or what is typed, where the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        strokes = [getattr(Keys, key, key) for key in keys]
        ActionChains(self.driver).send_keys(*strokes).perform()

    def tab_to(self, name: str) -> None:
        """By the keyboard alone, to the element of this id."""
        for _ in range(60):
            self.press("TAB")
            if self.driver.switch_to.active_element.get_attribute("id") == name:
                return
        raise AssertionError(f"no way to {name} by keyboard")

    def complaints(self) -> list[str]:
        """Errors of scripts, since the last time."""
        log = self.driver.get_log("browser")
        severe = [one["message"] for one in log if one["level"] == "SEVERE"]
        return [one for one in severe if "/favicon.ico" not in one]

    def picture(self, name: str) -> None:
        """Kept where PAGES_PICTURES says; nowhere else."""
        where = os.environ.get("PAGES_PICTURES")
        if where:
            height = self.driver.execute_script("return document.documentElement.scrollHeight")
            self.driver.set_window_size(1280, max(900, min(int(height) + 100, 3200)))
            self.driver.save_screenshot(str(Path(where) / f"{name}.png"))
            self.driver.set_window_size(1280, 900)
