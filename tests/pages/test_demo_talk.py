"""`esl-controller demo --talk`: the talk page without FusionPBX."""

from __future__ import annotations

from esl_controller.commands.demo_talk import TalkPage


def test_a_browser_talks_without_fusionpbx(here, browser):
    behind = browser.url
    with TalkPage(here.app, here.two.domain_uuid, "8001") as page:
        browser.url = page.url.rstrip("/")
        try:
            browser.open("/")
            browser.complaints()
            browser.click("#btn_begin")
            browser.wait(lambda: "Hello." in browser.text("#talk_turns"))
            browser.click("#btn_end")
            assert browser.complaints() == []
        finally:
            browser.url = behind
