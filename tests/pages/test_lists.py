"""Lists: what they show, what they do, and what is left when the controller is away."""

from __future__ import annotations


def test_secretaries_are_listed(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open("/app/voice_secretary/secretaries.php")
    browser.picture("secretaries")
    assert "Demo secretary" in browser.text("table.list")
    assert "8001" in browser.text("table.list")
    assert browser.complaints() == []


def test_a_secretary_form(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(f"/app/voice_secretary/secretary_edit.php?id={here.one.secretary_realtime_uuid}")
    browser.picture("secretary_edit")
    assert browser.complaints() == []
