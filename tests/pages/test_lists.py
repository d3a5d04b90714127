"""Lists: what they show, what they do, and what is left when the controller is away."""

from __future__ import annotations

import pytest

from tests.pages.test_conversation import begin

BASE = "/app/voice_secretary"


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


@pytest.mark.parametrize(
    ("language", "cost", "latency"),
    [("en-us", "$1,234.5000", "2,345 ms"), ("pt-br", "US$ 1.234,5000", "2.345 ms")],
)
def test_numbers_are_written_as_the_operator_writes_them(here, language, cost, latency):
    talk = begin(here, here.one, estimated_cost=1234.5, avg_latency_ms=2345, duration_seconds=60)
    visitor = here.visitor(here.one, language=language)
    of_one = f"conversation_realtime_detail.php?id={talk}"
    for page in ("conversations_realtime.php", of_one):
        html = visitor.get(f"{BASE}/{page}")[1]
        assert f">{cost}<" in html, page
        assert f">{latency}<" in html, page
    sql = "delete from v_voice_conversations_realtime where conversation_uuid = %s"
    here.database.execute(sql, talk)
