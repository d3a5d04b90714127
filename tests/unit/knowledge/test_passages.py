"""Where a text is cut, and what is read of each kind of document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.knowledge.documents import configuration_of, format_of
from esl_controller.knowledge.passages import MAX_PASSAGES, PASSAGE_CHARS, cut, without_accents
from esl_controller.knowledge.reader import Unreadable, text_of
from tests.unit.knowledge.pages import pdf


def test_a_passage_says_under_which_headings_it_stands() -> None:
    text = "# Clínica\nBem-vindo.\n\n## Preços\nConsulta: R$ 200.\n\n## Horário\n8 às 18.\n# Fim\nx"
    assert cut(text) == [
        "Clínica\nBem-vindo.",
        "Clínica > Preços\nConsulta: R$ 200.",
        "Clínica > Horário\n8 às 18.",
        "Fim\nx",
    ]


def test_short_paragraphs_share_a_passage_and_long_ones_are_cut_between_sentences() -> None:
    assert cut("One.\n\nTwo.\r\n\r\nThree.") == ["One.\nTwo.\nThree."]
    long = " ".join(f"Sentence number {n} is here." for n in range(200))
    passages = cut(long)
    assert all(len(one) <= PASSAGE_CHARS and one.endswith(".") for one in passages)
    assert "".join(passages).replace("\n", "").replace(" ", "") == long.replace(" ", "")


@given(st.text(max_size=5000))
def test_any_text_is_cut_into_limited_passages(text: str) -> None:
    assert all(0 < len(one) <= PASSAGE_CHARS + 201 for one in cut(text))


def test_what_is_endless_is_cut_off() -> None:
    assert len(cut("x" * (PASSAGE_CHARS * (MAX_PASSAGES + 50)))) == MAX_PASSAGES


def test_accents_are_left_out() -> None:
    assert without_accents("Não há pães à mão, señor") == "Nao ha paes a mao, senor"


def test_a_web_page_is_read_as_it_is_seen() -> None:
    page = (
        "<html><head><title>t</title><style>p{}</style></head><body><nav>Menu</nav>"
        "<h1>Loja</h1><p>Aberta &agrave;s&nbsp;9</p><script>evil()</script>"
        "<ul><li>um</li><li>dois</ul><table><tr><td>a</td><td>b</td></tr></table>"
    )
    text = text_of("html", page.encode())
    assert cut(text)[0].split("\n")[:2] == ["Loja", "Aberta às 9"]
    assert all(word not in text for word in ("Menu", "evil", "p{}"))
    assert "a b" in text


def test_a_pdf_is_read() -> None:
    text = text_of("pdf", pdf("Política de troca", "Sete dias."))
    assert "Política de troca" in text
    assert "Sete dias." in text


@pytest.mark.parametrize(
    ("kind", "document", "said"),
    [
        ("text", b"", "no text"),
        ("html", b"<script>x</script>", "no text"),
        ("text", b"\x00\x01\x02", "is no text"),
        ("pdf", b"hello", "no PDF"),
        ("pdf", pdf("x")[:-200], ""),
        ("pdf", b"%PDF-1.4\n" + b"<<" * 10_000, "no PDF"),
    ],
)
def test_what_cannot_be_read_is_said(kind: str, document: bytes, said: str) -> None:
    if not said:  # a PDF without its table is mended or refused, never more
        try:
            text_of(kind, document)
        except Unreadable:
            return
        return
    with pytest.raises(Unreadable, match=said):
        text_of(kind, document)


def test_other_encodings_are_read() -> None:
    assert text_of("text", "açaí".encode("cp1252")) == "açaí"
    assert text_of("text", "\ufeffaçaí".encode()) == "açaí"
    assert text_of("text", "açaí".encode("utf-16")) == "açaí"


def test_names_and_languages() -> None:
    assert [format_of(name) for name in ("a.TXT", "b.md", "c.htm", "d.pdf", "e.docx")] == [
        "text", "markdown", "html", "pdf", None,
    ]  # fmt: skip
    assert [configuration_of(tag) for tag in ("pt-BR", "en", "es_MX", "ja", None)] == [
        "portuguese", "english", "spanish", "simple", "simple",
    ]  # fmt: skip
