"""Everybody can use the pages: without a mouse, with a screen reader, with the controller away."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.pages.test_conversation import begin, say
from tests.pages.world import Visitor

BASE = "/app/voice_secretary"
RUN = """
    const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations
        .filter((v) => ['serious', 'critical'].includes(v.impact))
        .map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html).join(' | '))));
"""


def axe() -> str:
    """The text of axe-core, which this package carries; it is not imported."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None and found.origin is not None, "pip install axe-playwright-python"
    return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")


def paths(here: Any) -> list[str]:
    talk = begin(here, here.one)
    say(here, here.one, talk, 1, "user", "Hello")
    say(here, here.one, talk, 2, "assistant", "Good day", total_ms=600, model_ms=500)
    return [
        "secretaries.php",
        f"secretary_edit.php?id={here.one.secretary_realtime_uuid}",
        "providers_realtime.php",
        f"providers_realtime_edit.php?id={here.one.voice_realtime_provider_uuid}",
        "conversations_realtime.php",
        f"conversation_realtime_detail.php?id={talk}",
        "limits_realtime.php",
        "erase_caller_realtime.php",
        "functions_realtime.php",
        "functions_realtime_edit.php",
        "errands_realtime.php",
        "documents_realtime.php",
        "overview_realtime.php",
        "first_run.php",
        f"talk_realtime.php?id={here.one.secretary_realtime_uuid}",
    ]


@pytest.mark.slow
def test_axe_finds_nothing_serious(here, browser) -> None:
    browser.log_in(here.one.domain_uuid)
    source = axe()
    found = {}
    for path in paths(here):
        browser.open(f"{BASE}/{path}")
        browser.driver.execute_script(
            "for (const one of document.querySelectorAll('details')) { one.open = true; }"
        )
        browser.driver.execute_script(source)
        serious = browser.driver.execute_async_script(RUN)
        if serious:
            found[path] = serious
    assert found == {}


def test_a_secretary_is_renamed_by_keyboard_alone(here, browser) -> None:
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{BASE}/secretary_edit.php?id={here.one.secretary_realtime_uuid}")
    browser.tab_to("secretary_name")
    browser.press("END", " by keys", "ENTER")
    browser.wait(lambda: "Update Completed" in browser.text())
    assert browser.find("#secretary_name").get_attribute("value").endswith(" by keys")
    sql = "update v_voice_secretaries_realtime set secretary_name = 'Demo secretary'"
    here.database.execute(
        f"{sql} where secretary_realtime_uuid = %s", here.one.secretary_realtime_uuid
    )


@pytest.fixture
def away(here) -> Any:
    """The same pages where no controller is."""
    web = here.web_without_controller()
    yield web
    web.stop()
    assert web.warnings() == []


def test_with_the_controller_away_the_database_is_shown(here, away) -> None:
    visitor = Visitor(f"http://127.0.0.1:{away.port}").log_in(here.one.domain_uuid)
    for path in paths(here):
        status, text, _ = visitor.get(f"{BASE}/{path}")
        assert status == 200, path
        if path.startswith(
            ("secretaries", "secretary_edit", "providers", "limits", "overview", "first")
        ):
            assert "cannot be reached. Is it running?" in text, path
    text = visitor.get(f"{BASE}/secretaries.php")[1]
    assert "Demo secretary" in text
    assert "Here is what the database knows" in text


def test_nothing_typed_is_lost_with_the_controller_away(here, away) -> None:
    from tests.pages.forms import Page

    visitor = Visitor(f"http://127.0.0.1:{away.port}").log_in(here.one.domain_uuid)
    page = f"{BASE}/secretary_edit.php"
    fields = Page(visitor.get(f"{page}?id={here.one.secretary_realtime_uuid}")[1]).fields
    typed = {"system_prompt": "A long <prompt> & more", "action": "save"}
    status, html, _ = visitor.post(page, fields | typed)
    shown = Page(html)
    assert status == 200
    assert any("Nothing was saved" in one for one in shown.notices), shown.notices
    assert shown.fields["system_prompt"] == "A long <prompt> & more"


HOSTILE = ["'", '"><script>x</script>', "%00", "../../etc/passwd", "9" * 400, "-1", "é" * 99]
NAMES = ("page", "order_by", "order", "search", "show", "from", "to", "outcome", "caller", "text")


@pytest.mark.parametrize(
    "page", ["secretaries", "conversations_realtime", "secretary_edit", "first_run"]
)
def test_any_parameter_may_hold_anything(here, page) -> None:
    visitor = here.visitor(here.one)
    for value in map(quote, HOSTILE):
        for query in (
            f"id={value}",
            "&".join(f"{name}={value}" for name in NAMES),
            "&".join(f"{name}[]={value}" for name in [*NAMES, "id"]),
            "&".join(f"{name}[a][b]={value}" for name in [*NAMES, "id"]),
        ):
            status, text, _ = visitor.get(f"{BASE}/{page}.php?{query}")
            assert status in (200, 302), query
            assert "<script>x" not in text, query
