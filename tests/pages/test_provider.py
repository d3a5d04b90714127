"""Providers: forms from the registry, keys that go in and never come out, the connection test."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.pages.forms import Page

EDIT = "/app/voice_secretary/providers_realtime_edit.php"
LIST = "/app/voice_secretary/providers_realtime.php"
KEY = "sk-very-secret-0123456789"


def form_of(visitor: Any, path: str) -> dict[str, str]:
    status, html, _ = visitor.get(path)
    assert status == 200, html[:300]
    return Page(html).fields


def row_of(here: Any, label: str) -> tuple[Any, ...]:
    return here.row(
        """select voice_realtime_provider_uuid::text, credential, provider_settings, priority
           from v_voice_realtime_providers where domain_uuid = %s and provider_label = %s""",
        here.one.domain_uuid,
        label,
    )


@pytest.fixture
def added(here) -> tuple[Any, str]:
    """A visitor, and a provider of an address that nobody listens on."""
    visitor = here.visitor(here.one)
    sql = "delete from v_voice_realtime_providers where domain_uuid = %s and provider_label = 'Two'"
    here.database.execute(sql, here.one.domain_uuid)
    fields = form_of(visitor, EDIT) | {
        "provider_label": "Two",
        "credential": KEY,
        "base_url": "wss://127.0.0.1:1/v1",
        "settings[max_output_tokens]": "4096",
        "setting_types[max_output_tokens]": "integer",
    }
    status, html, place = visitor.post(EDIT, fields | {"action": "save"})
    assert status == 302, (Page(html).errors, Page(html).notices)
    return visitor, place.partition("id=")[2]


def test_a_key_is_sealed_and_never_shown(here, added):
    visitor, uuid = added
    key, sealed, settings, _ = row_of(here, "Two")
    assert key == uuid
    assert sealed.startswith("sealed:")
    assert settings == {"max_output_tokens": 4096}
    for path in (LIST, f"{EDIT}?id={uuid}"):
        html = visitor.get(path)[1]
        assert KEY not in html
        assert sealed not in html
        assert "is set" in html


def test_a_key_that_is_not_typed_stays(here, added):
    visitor, uuid = added
    before = row_of(here, "Two")[1]
    fields = form_of(visitor, f"{EDIT}?id={uuid}") | {"model": "gpt-realtime", "action": "save"}
    assert visitor.post(EDIT, fields)[0] == 302
    assert row_of(here, "Two")[1] == before
    fields = form_of(visitor, f"{EDIT}?id={uuid}") | {"forget_key": "true", "action": "save"}
    assert visitor.post(EDIT, fields)[0] == 302
    assert row_of(here, "Two")[1] is None


WRONG = {
    "credential": ("sk with blanks", "A key has no blanks"),
    "base_url": ("https://user:secret@", "An address such as"),
    "priority": ("first", "A whole number, please."),
    "max_concurrent_calls": ("-1", "A whole number from 0"),
    "provider_label": ("", "This is needed."),
    "provider_settings": ("[1", "This is no JSON."),
    "realtime_provider": ("fax", "One of: openai"),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_wrong_is_said_at_the_field(here, field):
    visitor = here.visitor(here.one)
    value, said = WRONG[field]
    uuid = here.one.voice_realtime_provider_uuid
    before = row_of(here, "demo")
    fields = form_of(visitor, f"{EDIT}?id={uuid}") | {field: value, "action": "save"}
    status, html, _ = visitor.post(EDIT, fields)
    assert (status, said in Page(html).errors.get(field, "")) == (200, True), Page(html).errors
    assert row_of(here, "demo") == before


@pytest.mark.parametrize(
    ("language", "explained", "doubt"),
    [
        ("pt-br", "Por cima de todo o resto", "fica de fora"),
        ("es-cl", "por encima de todo lo demás", "queda fuera"),
    ],
)
def test_fields_and_doubts_are_told_in_the_operator_s_language(here, language, explained, doubt):
    visitor = here.visitor(here.one, language=language)
    page = f"{EDIT}?id={here.one.voice_realtime_provider_uuid}"
    html = visitor.get(page)[1]
    assert explained.lower() in html.lower()
    assert "Further fields of the session" not in html
    page = json.loads(re.search(r"window\.voice_secretary = (\{.*?\})</script>", html)[1])
    fields = Page(html).fields | {page["token_name"]: page["token"], "ask": "judge_provider"}
    fields |= {"id": page["id"], "provider_settings": '{"voic": "marin"}'}
    told = json.loads(visitor.post("/app/voice_secretary/realtime_ask.php", fields)[1])
    assert any(doubt in one for one in told["warnings"]), told


def test_each_kind_has_its_own_fields(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(EDIT)
    shown = {}
    for kind in ("openai", "elevenlabs", "gemini", "custom"):
        browser.fill("realtime_provider", kind)
        shown[kind] = set(
            browser.driver.execute_script(
                "return [...document.querySelectorAll('tr[id^=row_of_]')]"
                ".filter((row) => !row.hidden).map((row) => row.id)"
            )
        )
    browser.picture("provider_edit")
    assert all(shown.values())
    assert "row_of_agent_id" in shown["elevenlabs"]
    assert "row_of_agent_id" not in shown["openai"]
    assert browser.complaints() == []


def test_a_connection_is_tried(here, browser, added):
    browser.log_in(here.one.domain_uuid)
    browser.open(LIST)
    for label, said in (("demo", "Works: connected in"), ("Two", "cannot be reached")):
        row = next(one for one in browser.all("tr.list-row") if label in one.text)
        button = row.find_element("css selector", ".vs_test")
        browser.driver.execute_script("arguments[0].click()", button)
        browser.wait(lambda row=row, said=said: said in row.text, said)
    browser.picture("providers")
    assert browser.complaints() == []


def test_the_order_of_fail_over(here, added):
    visitor, uuid = added

    def order() -> list[str]:
        sql = """select provider_label from v_voice_realtime_providers where domain_uuid = %s
                 order by priority, provider_label"""
        return [row[0] for row in here.database.execute(sql, here.one.domain_uuid)]

    for way in ("up", "down"):
        before = order()
        place = before.index("Two")
        fields = form_of(visitor, LIST)
        token = {name: value for name, value in fields.items() if len(name) == 32}
        way = "up" if place else "down"
        visitor.post(LIST, token | {"action": way, "moved": uuid})
        assert order() == before[::-1]


def test_two_accounts_of_a_kind_show_each_its_own_cost(here, added):
    visitor, second = added
    mine, first = here.one.domain_uuid, here.one.voice_realtime_provider_uuid
    assert here.app.journal.wait_stored(5)
    own = "delete from v_voice_usage_realtime where domain_uuid = %s"
    here.database.execute(own, mine)
    for account, purpose, cost_usd in (
        (first, "conversation", 4.25),
        (second, "conversation", 1.5),
        (None, "conversation", 8),
        (None, "embedding", 0.002),
        ("c3b2a1f0-0000-4000-8000-000000000000", "summary", 16),
    ):
        here.database.execute(
            """insert into v_voice_usage_realtime (domain_uuid, provider, purpose, occurred_at,
                 cost_usd, voice_realtime_provider_uuid)
               values (%s, 'openai', %s, now(), %s, %s)""",
            *(mine, purpose, cost_usd, account),
        )
    html = visitor.get(LIST)[1]
    rows = re.findall(r"<tr class='list-row'.*?</tr>", html, re.DOTALL)
    shown = {label: row for row in rows for label in ("demo", "Two") if f">{label}</a>" in row}
    assert "<td>$4.25</td>" in shown["demo"]
    assert "<td>$1.50</td>" in shown["Two"]
    besides = re.search(r"id='besides'>(.*?)</div>", html)[1]
    assert besides.endswith(
        "OpenAI Realtime, summary, a provider since removed $16.00 · "
        "OpenAI Realtime, conversation $8.00 · OpenAI Realtime, search by meaning $0.0020"
    ), besides
    spoken = here.visitor(here.one, language="pt-br").get(LIST)[1]
    assert "resumo, de um provedor já removido US$ 16,00" in spoken
    here.database.execute(own, mine)
    assert "id='besides'" not in visitor.get(LIST)[1]


def test_a_budget_has_a_meter(here):
    visitor = here.visitor(here.one)
    page = "/app/voice_secretary/limits_realtime.php"
    assert here.app.journal.wait_stored(5)
    own = "delete from v_voice_usage_realtime where domain_uuid = %s"
    here.database.execute(own, here.one.domain_uuid)
    fields = form_of(visitor, page) | {"monthly_budget_usd": "10,00", "action": "save"}
    assert visitor.post(page, fields)[0] == 302
    sql = "insert into v_voice_usage_realtime (domain_uuid, provider, occurred_at, cost_usd)"
    here.database.execute(f"{sql} values (%s, 'openai', now(), 8.5)", here.one.domain_uuid)
    html = visitor.get(page)[1]
    assert "vs_warning" in html
    assert "$8.50 / $10.00 (85 %)" in html
    fields = form_of(visitor, page) | {"retention_days": "0", "daily_budget_usd": "x"}
    _, html, _ = visitor.post(page, fields | {"action": "save"})
    errors = Page(html).errors
    assert errors["daily_budget_usd"] == "An amount such as 25.00, please."
    here.database.execute(own, here.one.domain_uuid)
    fields = form_of(visitor, page) | {"monthly_budget_usd": "", "action": "save"}
    assert visitor.post(page, fields)[0] == 302
