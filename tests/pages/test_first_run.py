"""From nothing to the first conversation, by the page alone."""

from __future__ import annotations


def test_from_nothing_to_the_first_words(here, browser):
    page = "/app/voice_secretary/first_run.php"
    domain = here.add_domain("new.example")
    browser.log_in(domain, domain_name="new.example", language="pt-br")
    browser.open(page)
    assert "vs_done" in browser.find("#step_controller").get_attribute("class")
    assert "não está instalado" in browser.text("#step_dialplan").lower()
    browser.click("#btn_dialplan")
    browser.wait(lambda: "vs_done" in browser.find("#step_dialplan").get_attribute("class"))

    browser.fill("credential", "sk with blanks")
    browser.click("#btn_provider")
    browser.wait(lambda: "Uma chave não tem espaços" in browser.text("#step_provider"))
    browser.fill("credential", "sk-good")
    browser.click("#btn_provider")
    # It is tried at once: there is no way to OpenAI from here.
    browser.wait(lambda: "vs_failed" in browser.find("#step_provider").get_attribute("class"))
    here.lead_to_emulator(domain)
    browser.find("#step_provider summary").click()
    browser.find("#step_provider details input[name=credential]").send_keys("sk-another")
    browser.click("#step_provider details button")
    browser.wait(lambda: "Funciona" in browser.text("#step_provider"))
    assert browser.find("#step_provider").get_attribute("class") == "vs_done"

    browser.fill("extension", "80 01")
    browser.click("#btn_secretary")
    browser.wait(lambda: "Um número: dígitos" in browser.text("#step_secretary"))
    browser.fill("extension", "8001")
    browser.fill("template", "clinic")
    browser.click("#btn_secretary")
    browser.wait(lambda: "8001 Clínica" in browser.text("#step_secretary"))
    browser.picture("first_run")

    browser.click("#btn_talk")
    browser.wait(lambda: browser.all("#btn_begin"))
    browser.click("#btn_begin")
    browser.wait(lambda: "É sobre uma consulta?" in browser.text("#talk_turns"))
    browser.click("#btn_end")
    assert browser.complaints() == []
