"""The form of a secretary: adding, changing, and each kind of wrong input."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.forms import Page

EDIT = "/app/voice_secretary/secretary_edit.php"
LIST = "/app/voice_secretary/secretaries.php"


def form_of(visitor: Any, path: str) -> dict[str, str]:
    """What the page would send if nothing were typed."""
    status, html, _ = visitor.get(path)
    assert status == 200, html[:300]
    return Page(html).fields


def own(here: Any) -> str:
    return f"{EDIT}?id={here.one.secretary_realtime_uuid}"


def stored(here: Any) -> tuple[Any, ...]:
    return here.row(
        """select secretary_name, extension, max_turns, vad_threshold, transfer_rules,
             business_hours, voice_settings, updated_at from v_voice_secretaries_realtime
           where secretary_realtime_uuid = %s""",
        here.one.secretary_realtime_uuid,
    )


def test_a_secretary_is_added_in_the_browser(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(EDIT)
    browser.fill("secretary_name", "Clínica «Boa Saúde» & Cia <b>")
    browser.fill("extension", "8100")
    browser.fill("system_prompt", "Você atende a clínica.")
    assert "22 " in browser.text("[data-count=system_prompt]")
    browser.click("#btn_add_rule")
    browser.find(".vs_destination").send_keys("1001")
    browser.driver.execute_script(
        "const one = document.querySelector('.vs_destination');"
        "one.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    browser.fill("hours_always", "false")
    browser.click("#btn_save")
    browser.wait(lambda: "Add Completed" in browser.text())
    name, rules, hours = here.row(
        """select secretary_name, transfer_rules, business_hours from v_voice_secretaries_realtime
           where domain_uuid = %s and extension = '8100'""",
        here.one.domain_uuid,
    )
    assert name == "Clínica «Boa Saúde» & Cia <b>"
    assert rules == [{"department": "Ana", "destination": "1001"}]
    assert hours["mon"] == [["09:00", "18:00"]]
    assert "sat" not in hours
    assert browser.find("#secretary_name").get_attribute("value") == name
    assert browser.complaints() == []
    browser.open(LIST)
    assert name in browser.text("table.list")


WRONG = {
    "max_turns": ("0", "Um número inteiro de 1 a 10000."),
    "vad_threshold": ("1,5", "Um número de 0 a 1."),
    "max_silence_seconds": ("soon", "Um número inteiro, por favor."),
    "extension": ("80 01", "Um número: dígitos"),
    "language": ("portuguese!", "Um idioma, como pt-BR."),
    "time_zone": ("Brasilia", "Um fuso, como America/Sao_Paulo."),
    "vad_mode": ("loud", "Um destes: pelo silêncio, pelo sentido."),
    "secretary_name": ("", "Isto é necessário."),
    "fallback_extension": ("1000 XML public", "Um número: dígitos"),
    "provider_config": ("{", "Isto não é JSON."),
    "hours[mon][100][from]": ("25:00", "Horas como 09:00"),
    "transfer_rules[0][other]": ("10 00", "Cada destino precisa"),
    "voice_speed": ("9", "Uma velocidade"),
}
PLACE = {
    "hours[mon][100][from]": "business_hours",
    "transfer_rules[0][other]": "transfer_rules",
    "voice_speed": "voice_speed",
}
BESIDES = {
    "hours[mon][100][from]": {"hours_always": "false"},
    "transfer_rules[0][other]": {"transfer_rules[0][destination]": "_other"},
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_saved(here, field):
    visitor = here.visitor(here.one, language="pt-br")
    value, said = WRONG[field]
    before = stored(here)
    fields = form_of(visitor, own(here)) | BESIDES.get(field, {}) | {field: value}
    status, html, _ = visitor.post(EDIT, fields | {"action": "save"})
    page = Page(html)
    assert status == 200
    assert said in page.errors[PLACE.get(field, field)], page.errors
    assert any("Nada foi salvo" in one for one in page.notices)
    assert page.fields.get(field) == value, "what was typed is still there"
    assert stored(here) == before


def test_several_wrong_fields_are_told_at_once(here):
    visitor = here.visitor(here.one)
    fields = form_of(visitor, own(here)) | {"max_turns": "0", "vad_threshold": "7", "language": "?"}
    _, html, _ = visitor.post(EDIT, fields | {"action": "save"})
    assert {"max_turns", "vad_threshold", "language"} <= Page(html).errors.keys()


def test_a_number_that_is_taken_is_told(here):
    visitor = here.visitor(here.one)
    fields = form_of(visitor, EDIT) | {"secretary_name": "Two", "extension": "8001"}
    _, html, _ = visitor.post(EDIT, fields | {"action": "save"})
    assert "has this number" in Page(html).errors["extension"]


def test_a_field_is_judged_before_it_is_saved(here, browser):
    browser.log_in(here.one.domain_uuid, language="es-cl")
    before = stored(here)
    browser.open(own(here))
    browser.fill("vad_threshold", "3")
    browser.wait(lambda: browser.find("#error_vad_threshold").get_attribute("textContent"))
    said = browser.find("#error_vad_threshold").get_attribute("textContent")
    assert said == "Un número de 0 a 1."
    assert browser.find("#vad_threshold").get_attribute("aria-invalid") == "true"
    browser.fill("vad_threshold", "0.4")
    browser.wait(lambda: not browser.find("#error_vad_threshold").get_attribute("textContent"))
    assert stored(here) == before
    assert browser.complaints() == []


def test_fields_appear_by_mode_and_by_provider(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(own(here))
    browser.wait(lambda: browser.all("#features span"))
    assert browser.all("#list_voice_id option"), "voices come from the registry"
    assert browser.find("#row_model").is_displayed()
    assert not browser.find("#row_realtime_provider").is_displayed(), "a row is named"
    browser.fill("voice_realtime_provider_uuid", "")
    assert browser.find("#row_realtime_provider").is_displayed()
    browser.fill("realtime_provider", "gemini")
    assert not browser.find("#row_noise_reduction").is_displayed()
    browser.click("input[value=turn_based]")
    assert not browser.find("#row_model").is_displayed()


def test_what_is_not_set_is_shown_as_its_default_and_saving_changes_nothing(here):
    visitor = here.visitor(here.one)
    sql = "update v_voice_secretaries_realtime set hold_music = null, transfer_mode = null"
    here.database.execute(f"{sql} where domain_uuid = %s", here.one.domain_uuid)
    fields = form_of(visitor, own(here))
    assert (fields["hold_music"], fields["transfer_mode"]) == ("true", "blind")
    assert visitor.post(EDIT, fields | {"action": "save"})[0] == 302
    sql = "select hold_music, transfer_mode from v_voice_secretaries_realtime"
    key = here.one.secretary_realtime_uuid
    assert here.row(f"{sql} where secretary_realtime_uuid = %s", key) == (True, "blind")


def test_a_prompt_that_looks_like_json_stays_a_text(here):
    visitor = here.visitor(here.one)
    key = here.one.secretary_realtime_uuid
    sql = "update v_voice_secretaries_realtime set system_prompt = %s, first_message = %s"
    prompt, first = '{"role": "You are Ana."}', '["Hello."]'
    here.database.execute(f"{sql} where secretary_realtime_uuid = %s", prompt, first, key)
    fields = form_of(visitor, own(here))
    assert (fields["system_prompt"], fields["first_message"]) == (prompt, first)
    assert visitor.post(EDIT, fields | {"action": "save"})[0] == 302
    sql = "select system_prompt, first_message from v_voice_secretaries_realtime"
    assert here.row(f"{sql} where secretary_realtime_uuid = %s", key) == (prompt, first)


def test_the_mode_of_a_number(here):
    visitor = here.visitor(here.one)
    fields = form_of(visitor, own(here)) | {"processing_mode": "auto", "action": "save"}
    assert visitor.post(EDIT, fields)[0] == 302
    mode = "select processing_mode from v_voice_secretaries where domain_uuid = %s"
    assert here.row(mode, here.one.domain_uuid) == ("auto",)
    assert form_of(visitor, own(here))["processing_mode"] == "auto"
    fields = form_of(visitor, own(here)) | {"processing_mode": "realtime", "action": "save"}
    assert visitor.post(EDIT, fields)[0] == 302
    assert here.row(mode, here.one.domain_uuid) == ("realtime",)


def test_a_secretary_of_version_1_that_is_off_says_nothing_of_the_mode(here):
    """As for a call: `find_turn_based` and the Lua script pass over it, too."""
    visitor = here.visitor(here.one)
    rows = "from v_voice_secretaries where domain_uuid = %s"
    here.database.execute(f"delete {rows}", here.one.domain_uuid)
    sql = """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, secretary_name,
               extension, processing_mode, enabled)
             values (gen_random_uuid(), %s, 'Old', '8001', 'turn_based', false)"""
    here.database.execute(sql, here.one.domain_uuid)
    assert form_of(visitor, own(here))["processing_mode"] == "realtime"
    assert "Realtime" in visitor.get(LIST)[1]
    fields = form_of(visitor, own(here)) | {"processing_mode": "auto", "action": "save"}
    assert visitor.post(EDIT, fields)[0] == 302
    assert here.row(f"select processing_mode {rows} and enabled", here.one.domain_uuid) == ("auto",)
    assert form_of(visitor, own(here))["processing_mode"] == "auto"
    here.database.execute(f"delete {rows}", here.one.domain_uuid)


def test_what_a_month_costs(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(own(here))
    browser.fill("model", "gpt-realtime")
    browser.wait(lambda: "gpt-realtime" in browser.text("#estimate"))
    assert "$" in browser.text("#estimate")
    browser.fill("model", "no-such-model")
    browser.wait(lambda: "No price" in browser.text("#estimate"))


def test_a_voice_is_heard(here, browser):
    browser.log_in(here.one.domain_uuid)
    browser.open(own(here))
    browser.click("#btn_preview")
    browser.wait(lambda: browser.find("#preview").is_displayed(), "a player")
    browser.wait(lambda: browser.driver.execute_script("return preview.duration") > 0.1)
    assert browser.complaints() == []


def test_copied_switched_and_removed(here):
    visitor = here.visitor(here.one)
    sql = "select secretary_realtime_uuid::text, enabled from v_voice_secretaries_realtime"
    sql += " where domain_uuid = %s and secretary_name like 'Demo secretary%%' order by created_at"
    key = here.one.secretary_realtime_uuid

    def do(action: str, uuid: str) -> list[tuple[Any, ...]]:
        fields = form_of(visitor, LIST)
        fields = {name: value for name, value in fields.items() if len(name) == 32}
        chosen = {"secretaries[0][checked]": "true", "secretaries[0][uuid]": uuid}
        assert visitor.post(LIST, fields | chosen | {"action": action})[0] == 302
        return here.database.execute(sql, here.one.domain_uuid)

    rows = do("copy", key)
    assert len(rows) == 2
    copy = rows[1][0]
    assert dict(do("toggle", copy))[copy] is False
    assert [row[0] for row in do("delete", copy)] == [key]


def test_without_a_token_nothing_is_done(here):
    visitor = here.visitor(here.one)
    before = stored(here)
    fields = form_of(visitor, own(here)) | {"secretary_name": "Forged"}
    without = {name: value for name, value in fields.items() if len(name) != 32}
    status, _, place = visitor.post(EDIT, without | {"action": "save"})
    assert (status, place) == (302, "secretaries.php")
    assert "Invalid Token" in visitor.get(LIST)[1]
    chosen = {
        "secretaries[0][checked]": "true",
        "secretaries[0][uuid]": here.one.secretary_realtime_uuid,
    }
    assert visitor.post(LIST, chosen | {"action": "delete"})[0] == 302
    assert stored(here) == before


def test_who_is_not_logged_in_is_sent_away(here):
    from tests.pages.world import Visitor

    nobody = Visitor(here.url)
    for path in (LIST, own(here), "/app/voice_secretary/realtime_ask.php"):
        status, _, place = nobody.get(path)
        assert (status, place[:7]) == (302, "/?path=")
