"""Documents a secretary answers from: uploaded, shown, asked and removed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.pages.forms import Page
from tests.unit.knowledge.pages import pdf

BASE = "/app/voice_secretary"
LIST = f"{BASE}/documents_realtime.php"
ROWS = """select title, source_format, language, passages from v_voice_realtime_documents
          where domain_uuid = %s order by title"""


def document(here: Any, tenant: Any, text: str) -> str:
    """One of a domain, with one passage."""
    key = str(uuid.uuid4())
    sql = """insert into v_voice_realtime_documents
               (document_uuid, domain_uuid, title, source_format, size_bytes, passages)
             values (%s, %s, %s, 'text', 9, 1)"""
    here.database.execute(sql, key, tenant.domain_uuid, f"{text} {key}")
    sql = """insert into v_voice_realtime_passages
               (domain_uuid, document_uuid, passage_number, content, terms)
             values (%s, %s, 0, %s, to_tsvector('simple', %s)::text)"""
    here.database.execute(sql, tenant.domain_uuid, key, text, text)
    return key


@pytest.fixture(autouse=True)
def none_left(here: Any) -> Any:
    yield
    here.database.execute("delete from v_voice_realtime_documents")


def upload(visitor: Any, name: str, content: bytes, **more: str) -> tuple[int, str, str]:
    fields = Page(visitor.get(LIST)[1]).fields | {"action": "upload"} | more
    fields.pop("file", None)
    return visitor.upload(LIST, fields, name, content)


def test_a_document_is_uploaded_shown_asked_and_removed(here) -> None:
    visitor = here.visitor(here.one, language="pt-br")
    text = "# Trocas\n\nTrocas são feitas em até <b>sete</b> dias.\n".encode()
    assert upload(visitor, "regras.md", text, document_language="pt-BR")[0] == 302
    assert upload(visitor, "x.pdf", pdf("The garage is behind the house."), title="House")[0] == 302
    rows = here.database.execute(ROWS, here.one.domain_uuid)
    assert rows == [("House", "pdf", None, 1), ("regras", "markdown", "pt-BR", 1)]
    html = visitor.get(LIST)[1]
    assert any("House foi guardado: 1 trechos." in one for one in Page(html).notices)
    html = visitor.get(f"{LIST}?question=posso+trocar%3F")[1]
    assert "Encontrado por palavras." in html
    assert "Trocas são feitas em até &lt;b&gt;sete&lt;/b&gt; dias." in html
    assert "garage" not in html
    assert "Nada serve." in visitor.get(f"{LIST}?question=xylophone")[1]
    sql = "select document_uuid::text from v_voice_realtime_documents where title = 'regras'"
    (key,) = here.row(sql)
    html = visitor.get(f"{BASE}/document_realtime.php?id={key}")[1]
    assert "regras" in html
    assert "&lt;b&gt;sete&lt;/b&gt;" in html
    fields = Page(visitor.get(LIST)[1]).fields
    fields |= {"action": "delete", "documents[0][checked]": "true", "documents[0][uuid]": key}
    assert visitor.post(LIST, fields)[0] == 302
    assert [row[0] for row in here.database.execute(ROWS, here.one.domain_uuid)] == ["House"]


@pytest.mark.parametrize(
    ("language", "name", "content", "more", "said"),
    [
        ("en-us", "notes.docx", b"x", {}, "choose a format"),
        ("pt-br", "scan.pdf", b"no pdf", {}, "documento: não é um PDF que se possa ler"),
        ("es-cl", "vacio.txt", b" ", {}, "documento: no contiene texto"),
        ("pt-br", "a.txt", b"x", {"document_language": "??"}, "deve ser um idioma como pt-BR"),
        ("es-cl", "a.txt", b"", {}, "Elija un archivo."),
        ("pt-br", "a.txt", b"x" * (3 << 20), {}, "passa de 3 MB"),
    ],
)
def test_what_is_refused_is_said_in_the_operator_s_language(
    here, language, name, content, more, said
) -> None:
    visitor = here.visitor(here.one, language=language)
    status, html, _ = upload(visitor, name, content, **more)
    page = Page(html)
    assert status == 200
    assert said in " ".join([*page.notices, *page.errors.values()]), (page.notices, page.errors)
    assert here.database.execute(ROWS, here.one.domain_uuid) == []


def test_no_file_and_no_right(here) -> None:
    visitor = here.visitor(here.one)
    fields = Page(visitor.get(LIST)[1]).fields | {"action": "upload"}
    fields.pop("file", None)
    assert "Choose a file." in Page(visitor.post(LIST, fields)[1]).errors["file"]
    assert visitor.get(f"{BASE}/document_realtime.php?id={uuid.uuid4()}")[0] == 302


def test_in_a_browser(here, browser) -> None:
    document(here, here.one, "Open from nine to five")
    browser.log_in(here.one.domain_uuid)
    browser.open(f"{BASE}/secretaries.php")
    browser.click("a[href='documents_realtime.php'], [onclick*='documents_realtime.php']")
    browser.wait(lambda: "Open from nine" in browser.text("table.list"))
    browser.fill("question", "when is it open")
    browser.click("#btn_ask")
    browser.wait(lambda: "Found by words." in browser.text("#found"))
    browser.picture("documents")
    browser.open(f"{BASE}/document_realtime.php?id={document(here, here.one, 'Closed on Sunday')}")
    assert "Closed on Sunday" in browser.text()
    assert browser.complaints() == []
