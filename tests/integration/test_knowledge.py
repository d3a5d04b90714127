"""A tenant's documents in PostgreSQL: found by what callers ask, and by nobody else."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from esl_controller.database.repository import knowledge
from esl_controller.knowledge import documents
from esl_controller.knowledge.documents import Document, DocumentRefused, add
from esl_controller.knowledge.found import SearchFailed
from esl_controller.knowledge.search import DocumentSearch
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.search_knowledge import SearchKnowledge
from tests.unit.knowledge.pages import pdf
from tests.unit.tools.own_kit import context

POLICY = """# Troca e devolução
Trocas são feitas em até sete dias, com a nota fiscal.

# Entregas
Entregamos em São Paulo e no Rio de Janeiro, de segunda a sexta.
"""


@pytest.fixture
def tenants(database):
    return database.seed().domain_uuid, database.seed().domain_uuid


def store(pool, domain, title="Política", language="pt-BR", kind="markdown", content=POLICY):
    body = content if isinstance(content, bytes) else content.encode()
    return add(pool, domain, Document(title, kind, language, body))


def found(pool, domain, question):
    return [
        (one.source, one.text)
        for one in DocumentSearch(pool).search(domain, question, timeout_s=5).passages
    ]


@pytest.mark.parametrize(
    "question",
    [
        "trocar um produto",
        "qual o prazo de TROCA?",
        "devolucao",
        "devoluções",
        "troca: (nota & | !",
    ],
)
def test_a_question_finds_its_passage_whatever_its_form(pool, tenants, question):
    store(pool, tenants[0])
    first, *_ = found(pool, tenants[0], question)
    assert first[0] == "Política"
    assert "sete dias" in first[1]


def test_every_document_is_searched_in_its_own_language(pool, tenants):
    store(pool, tenants[0])
    english = "We deliver parcels on weekdays. Returning goods takes a week."
    store(pool, tenants[0], "Shop", "en", "text", english)
    store(pool, tenants[0], "Papel", "pt-BR", "pdf", pdf("O estacionamento fica nos fundos."))
    store(pool, tenants[0], "日本", "ja", "text", "営業時間 は 九時")
    assert found(pool, tenants[0], "delivering a parcel")[0][0] == "Shop"
    assert found(pool, tenants[0], "onde ficam os estacionamentos")[0][0] == "Papel"
    assert found(pool, tenants[0], "営業時間")[0][0] == "日本"
    assert found(pool, tenants[0], "") == []
    assert found(pool, tenants[0], "xylophone \x00 '; drop table --") == []


def test_no_tenant_finds_or_removes_what_is_another_s(pool, tenants):
    mine = store(pool, tenants[0])
    assert found(pool, tenants[1], "troca") == []
    with pool.connection() as connection:
        assert not knowledge.remove_document(connection, tenants[1], mine["document_uuid"])
        assert knowledge.list_passages(connection, tenants[1], mine["document_uuid"]) == []
        assert knowledge.list_documents(connection, tenants[1]) == []
        assert knowledge.remove_document(connection, tenants[0], mine["document_uuid"])
    assert found(pool, tenants[0], "troca") == []


def test_a_document_of_the_same_title_is_replaced(pool, tenants):
    store(pool, tenants[0])
    again = store(pool, tenants[0], content="Agora são trinta dias de troca.")
    assert again["passages"] == 1
    assert [text for _, text in found(pool, tenants[0], "troca")] == [
        "Agora são trinta dias de troca."
    ]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("pdf", b"no pdf", "^is no PDF"),
        ("docx", b"x", "must be one of"),
        ("text", b" ", "no text"),
        ("text", b"x" * (documents.MAX_DOCUMENT_BYTES + 1), "more than"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_lost(pool, tenants, kind, content, said):
    store(pool, tenants[0])
    with pytest.raises(DocumentRefused, match=said):
        store(pool, tenants[0], kind=kind, content=content)
    assert found(pool, tenants[0], "troca")


def test_there_is_a_limit(pool, tenants, monkeypatch):
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 1)
    store(pool, tenants[0])
    with pytest.raises(DocumentRefused, match="has 1 documents already"):
        store(pool, tenants[0], "Another")
    store(pool, tenants[0])  # in place of itself
    monkeypatch.setattr(documents, "MAX_PASSAGES", 1)
    with pytest.raises(DocumentRefused, match="more than 1 passages"):
        store(pool, tenants[0])
    assert found(pool, tenants[0], "troca")


def test_the_model_is_told_the_source_and_that_it_is_data(pool, tenants):
    store(pool, tenants[0])
    call = context(knowledge=DocumentSearch(pool))
    call.domain_uuid = tenants[0]
    told = SearchKnowledge().run({"question": "troca"}, call)
    assert told["passages"][0]["source"] == "Política"
    assert "not instructions" in told["note"]
    assert SearchKnowledge().run({"question": "xylophone"}, call)["passages"] == []


def test_a_search_that_takes_too_long_is_given_up_and_told(pool, tenants, database):
    store(pool, tenants[0])
    search = DocumentSearch(pool)
    with closing(psycopg2.connect(database.dsn)) as other:
        other.cursor().execute("lock table v_voice_realtime_passages in access exclusive mode")
        with pytest.raises(SearchFailed, match="in time"):
            search.search(tenants[0], "troca", timeout_s=0.2)
    assert found(pool, tenants[0], "troca")


def test_the_database_away_is_no_end_of_the_call():
    class Away:
        def search(self, *_, **__):
            raise SearchFailed("gone")

    with pytest.raises(FunctionFailed, match="cannot be searched at the moment"):
        SearchKnowledge().run({"question": "x"}, context(knowledge=Away()))
