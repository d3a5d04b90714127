"""Documents found by what a question means, on a real PostgreSQL with pgvector."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.pool import Pool
from esl_controller.database.repository import knowledge, tenants
from esl_controller.errands import embedding
from esl_controller.errands.embedding import EmbeddingDesk
from esl_controller.knowledge.documents import Document, add
from esl_controller.knowledge.found import SearchFailed
from esl_controller.knowledge.search import DocumentSearch
from esl_controller.services import meaning
from esl_controller.services.embeddings import Embeddings
from esl_controller.services.embeddings import EmbeddingService as Chosen
from esl_controller.services.failed import ServiceFailed
from esl_controller.services.meaning import QuestionVectors
from esl_controller.settings.types import Secret
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.embeddings import EmbeddingService
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.receivers import HttpReceiver
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.tenants.source import ConfigSource
from tests.integration.api_kit import OPEN, client_of
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase
from tests.integration.errand_house import House
from tests.integration.service import SPEAK, wait_for

MODEL = "text-embedding-3-small"
PAPERS = {
    "Parking": "Parking is behind the house, two hours are free.",
    "Refunds": "A refund is paid within seven days.",
    "Pets": "Pets may come along, on a lead.",
}


@pytest.fixture
def database(vector_server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    name = f"v_{time.monotonic_ns()}"
    vector_server.create_database(name)
    database = TestDatabase(vector_server, name)
    yield database
    database.disconnect()
    vector_server.drop_database(name)


@pytest.fixture
def service() -> Iterator[tuple[EmbeddingService, HttpReceiver]]:
    told = EmbeddingService(key="the-key")
    receiver = HttpReceiver(told)
    yield told, receiver
    receiver.stop()


@pytest.fixture
def papers(house: House, pool: Pool, service) -> House:
    """A domain with documents, and a service of its own that embeds them."""
    for title, text in PAPERS.items():
        add(pool, house.domain, Document(title, "text", "en", text.encode()))
    house.set(
        embedding_url=base(service[1]), embedding_model=MODEL, embedding_key=house.seal("the-key")
    )
    return house


def base(receiver: HttpReceiver) -> str:
    return receiver.url.removesuffix("/hook") + "/v1"


def embed(house: House) -> None:
    EmbeddingDesk(house.pool, house.means.embeddings).run_once()
    house.work()


def searching(house: House, **more) -> DocumentSearch:
    source = house.means._source
    vectors = QuestionVectors(house.means.embeddings, source.load_tenant, **more)
    return DocumentSearch(house.pool, vectors)


def titles(found) -> list[str]:
    return [one.source for one in found.passages]


def documents(house: House) -> list[tuple]:
    return house.database.execute(
        """select d.title, d.embedded_as is not null, count(e.*), min(cardinality(e.embedding))
           from v_voice_realtime_documents d
           left join v_voice_realtime_embeddings e using (domain_uuid, document_uuid)
           group by 1, 2 order by 1"""
    )


def test_other_words_for_the_same_find_it(papers: House) -> None:
    search = searching(papers)
    before = search.search(papers.domain, "where can I leave my car", timeout_s=5)
    assert (titles(before), before.by_meaning) == ([], False)
    assert before.why == "no document has its vectors yet"
    embed(papers)
    assert documents(papers) == [(title, True, 1, 256) for title in sorted(PAPERS)]
    found = search.search(papers.domain, "where can I leave my car", timeout_s=5)
    assert (titles(found)[0], found.by_meaning, found.why) == ("Parking", True, "")
    assert titles(search.search(papers.domain, "posso levar o cachorro?", timeout_s=5))[0] == "Pets"
    # Both ways agree on the first, and the words' own hit is not lost among the others.
    assert titles(search.search(papers.domain, "seven days", timeout_s=5))[0] == "Refunds"


def test_what_vectors_cost_is_booked_to_the_domain(papers: House) -> None:
    embed(papers)
    searching(papers).search(papers.domain, "car", timeout_s=5)
    assert {domain for _, domain in papers.booked} == {papers.domain}
    assert [(one.vendor, one.model) for one, _ in papers.booked] == [("custom", MODEL)] * 4
    assert all(one.input_text_tokens > 0 for one, _ in papers.booked)


def test_a_search_in_the_shell_is_booked_as_one_in_a_call(
    papers: House, service, tmp_path: Path
) -> None:
    service[0].key = ""
    papers.set(embedding_key=None)
    embed(papers)
    prices = tmp_path / "prices.json"
    price = {"provider": "custom", "model": MODEL, "since": "2026-01-01", "text_input": 2}
    prices.write_text(json.dumps([price]))
    asked = ("knowledge", "search", "where can I leave my car", "--domain", papers.domain)
    environ = {
        "VOICE_AI_DATABASE_DSN": papers.database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_STORAGE_PRICE_FILE": str(prices),
        "VOICE_AI_SERVICES_ALLOWED_HOSTS": "127.0.0.1",
    }
    told = run(*asked, "--json", **environ)
    (booked,) = json.loads(told.stdout)["booked"]
    assert (booked["purpose"], float(booked["cost_usd"])) == ("embedding", booked["tokens"] * 2e-6)
    assert "Booked to the domain: " in run(*asked, **environ).stdout
    rows = papers.database.execute(
        """select domain_uuid::text, conversation_uuid, purpose, model, cost_usd > 0
           from v_voice_usage_realtime"""
    )
    assert rows == [(papers.domain, None, "embedding", MODEL, True)] * 2


def test_it_is_asked_for_once_and_again_when_the_model_changes(papers: House, service) -> None:
    for _ in range(3):
        embed(papers)
    assert len(service[1].posted) == len(PAPERS)
    service[0].models = (MODEL, "larger")
    service[0].dimensions = 512
    papers.set(embedding_model="larger")
    embed(papers)
    assert documents(papers) == [(title, True, 1, 512) for title in sorted(PAPERS)]
    found = searching(papers).search(papers.domain, "car", timeout_s=5)
    assert (titles(found)[0], found.by_meaning) == ("Parking", True)
    papers.set(embedding_model=MODEL)  # and back, before the other was used
    service[0].dimensions = 256
    embed(papers)
    assert documents(papers)[0][3] == 256


def test_vectors_of_another_length_are_made_anew(papers: House, service) -> None:
    """The service has changed its model under the same name."""
    embed(papers)
    service[0].dimensions = 128
    search = searching(papers)
    assert titles(search.search(papers.domain, "seven days", timeout_s=5)) == ["Refunds"]
    embed(papers)
    assert documents(papers)[0][3] == 256, "not twice within an hour"
    papers.database.execute(
        "update v_voice_realtime_documents set embedded_at = now() - interval '2 hours'"
    )
    search.search(papers.domain, "car", timeout_s=5)
    embed(papers)
    assert documents(papers) == [(title, True, 1, 128) for title in sorted(PAPERS)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"status": 503}, "answered 503"),
        ({"wait_s": 30.0}, "in time"),
        ({"body": {"data": []}}, "another number"),
        ({"body": "nonsense"}, "no embeddings"),
        ({"body": {"data": [{"index": 0, "embedding": ["x"]}]}}, "no vector"),
        ({"body": {"data": [{"index": 0, "embedding": [1e60, 1]}]}}, "no vector"),
    ],
)
def test_without_a_vector_the_words_are_searched_within_the_deadline(
    papers: House, service, wrong, said: str
) -> None:
    embed(papers)
    for name, value in wrong.items():
        setattr(service[0], name, value)
    found = searching(papers).search(papers.domain, "refund", timeout_s=3.0)
    assert (titles(found), found.by_meaning) == (["Refunds"], False)
    assert said in found.why


@pytest.mark.parametrize(
    ("locked", "found", "why"),
    [
        ("v_voice_realtime_embeddings", (["Refunds"], False), "not compared in time"),
        ("v_voice_realtime_passages", None, "not searched in time"),
    ],
)
def test_whatever_is_there_at_the_limit_answers(papers: House, locked, found, why: str) -> None:
    """A vector that came late leaves no time to compare it; the words were searched meanwhile."""
    embed(papers)
    with closing(psycopg2.connect(papers.database.dsn)) as other:
        other.cursor().execute(f"lock table {locked} in access exclusive mode")
        try:
            told = searching(papers).search(papers.domain, "refund", timeout_s=0.7)
            said, ways = told.why, (titles(told), told.by_meaning)
        except SearchFailed as error:
            said, ways = str(error), None
    assert (ways, why in said) == (found, True)


def test_what_is_meant_answers_where_the_words_are_late(papers: House, monkeypatch) -> None:
    embed(papers)
    monkeypatch.setattr(knowledge, "_BY_WORDS", "select pg_sleep(9), %(question)s")
    told = searching(papers).search(papers.domain, "where can I leave my car", timeout_s=0.7)
    assert (titles(told)[0], told.by_meaning) == ("Parking", True)
    assert told.why == "the documents were not searched in time"


def test_vectors_are_sifted_by_their_signs_and_told_apart_by_all_numbers(
    papers: House, pool: Pool, monkeypatch
) -> None:
    embed(papers)
    vectors = {"Parking": "{.9,.1,-.1,.1}", "Pets": "{.1,.9,-.1,.1}", "Refunds": "{-1,-1,1,-1}"}
    for title, vector in vectors.items():
        papers.database.execute(
            """update v_voice_realtime_embeddings e set embedding = %s, space = 's'
               from v_voice_realtime_documents d
               where d.document_uuid = e.document_uuid and d.title = %s""",
            vector,
            title,
        )
    monkeypatch.setattr(knowledge, "SIFTED", 2)
    with pool.connection() as connection:
        for vector, found in (
            ("[0.8, 0.2, -0.1, 0.1]", ["Parking", "Pets"]),
            ("[0.2, 0.8, -0.1, 0.1]", ["Pets", "Parking"]),
            ("[-0.2, -0.8, 0.1, -0.1]", ["Refunds"]),
            ("[1, 1]", []),
        ):
            rows = knowledge.by_meaning(connection, papers.domain, "s", vector, 9)
            assert [row["title"] for row in rows][: len(found) or 9] == found, vector


def test_a_service_that_failed_is_not_waited_for_again(papers: House, service) -> None:
    embed(papers)
    now = [100.0]
    search, service[0].status = searching(papers, clock=lambda: now[0]), 500
    search.search(papers.domain, "refund", timeout_s=5)
    asked, service[0].status = len(service[1].posted), 200
    assert "just failed" in search.search(papers.domain, "refund", timeout_s=5).why
    assert len(service[1].posted) == asked
    now[0] += meaning.REST_S
    assert search.search(papers.domain, "refund", timeout_s=5).by_meaning


def test_indexing_goes_on_when_the_service_is_back(papers: House, service) -> None:
    service[0].status = 503
    embed(papers)
    rows = "select state, last_error from v_voice_realtime_errands where kind = 'embedding'"
    assert {state for state, _ in papers.database.execute(rows)} == {"queued"}
    service[0].status = 401
    papers.hurry()
    embed(papers)
    assert {state for state, _ in papers.database.execute(rows)} == {"queued"}
    service[0].status = 200
    papers.hurry()
    embed(papers)
    assert documents(papers) == [(title, True, 1, 256) for title in sorted(PAPERS)]
    assert len(papers.database.execute(rows)) == len(PAPERS)


def test_no_tenant_finds_or_pays_for_what_is_another_s(papers: House, service, pool: Pool) -> None:
    embed(papers)
    asked = len(service[1].posted)
    stranger = papers.database.seed().domain_uuid
    search = searching(papers)
    nothing = search.search(stranger, "car refund pets", timeout_s=5)
    assert (titles(nothing), nothing.by_meaning, nothing.why) == ([], False, "")
    # The same service, another domain: nothing of the first is compared.
    papers.database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, embedding_url, embedding_model)"
        " values (%s, %s, %s)",
        stranger,
        base(service[1]),
        MODEL,
    )
    assert titles(search.search(stranger, "car refund pets", timeout_s=5)) == []
    assert len(service[1].posted) == asked
    with pool.connection() as connection:
        space = Chosen(base(service[1]), MODEL, own=True).space
        vector = "[" + ",".join(["1"] * 256) + "]"
        assert knowledge.by_meaning(connection, stranger, space, vector, 9) == []
        assert len(knowledge.by_meaning(connection, papers.domain, space, vector, 9)) == 3
        assert tenants.find_settings(connection, stranger)["embedding_key"] is None


def test_a_tenant_s_key_is_its_own_and_the_installation_s_serves_the_others(
    papers: House, service, pool: Pool
) -> None:
    other = HttpReceiver(EmbeddingService(key="of-the-operator"))
    theirs = papers.means.embeddings
    both = Embeddings(
        theirs._http,
        theirs._open_key,
        installation=Chosen(base(other), MODEL, own=False),
        key=Secret("of-the-operator"),
    )
    papers.means.embeddings = both
    embed(papers)
    assert (len(service[1].posted), len(other.posted)) == (len(PAPERS), 0)
    papers.set(embedding_url=None, embedding_model=None, embedding_key=None)
    embed(papers)
    assert len(other.posted) == len(PAPERS)
    other.stop()
    far = replace(Chosen("http://far.example/v1", MODEL, own=True), credential="sealed:x")
    with pytest.raises(ServiceFailed, match="embedding_key"):
        both.embed(papers.domain, far, ["x"], timeout_s=1)


def test_removing_a_document_removes_its_vectors(papers: House, pool: Pool) -> None:
    embed(papers)
    source = papers.means._source
    assert isinstance(source, ConfigSource)
    with pool.connection() as connection:
        knowledge.remove_titled(connection, papers.domain, "Parking")
    assert papers.database.execute("select count(*) from v_voice_realtime_embeddings") == [(2,)]
    papers.database.execute("delete from v_domains where domain_uuid = %s", papers.domain)
    assert papers.database.execute("select count(*) from v_voice_realtime_embeddings") == [(0,)]


def test_a_caller_is_answered_from_what_is_meant(serve, service, database, monkeypatch) -> None:
    """Uploaded over the interface, indexed by the worker, asked in a call in other words."""
    monkeypatch.setattr(embedding, "LOOK_S", 0.2)
    asked = ScriptedCall("search_knowledge", '{"question": "where can I leave my car"}')
    script = Script(answers=(Answer("", calls=(asked,)),), caller_lines=("the car",))
    worker = serve(
        emulator=EmulatorConfig(script=script, think_s=0.05),
        secretary={"enable_rag": True},
        services={"allowed_hosts": ("127.0.0.1",)},
        **OPEN,
    )
    client, page = client_of(worker), f"/domains/{worker.tenant.domain_uuid}"
    settings = {"embedding_url": base(service[1]), "embedding_model": MODEL}
    told = client.ask("PATCH", f"{page}/settings", settings | {"embedding_key": "the-key"})
    assert (told.status, told.json["keys"]) == (200, {"embedding_key": "sealed"})
    for title, text in PAPERS.items():
        content = base64.b64encode(text.encode()).decode()
        wanted = {"title": title, "source_format": "text", "language": "en", "content": content}
        stored = client.post(f"{page}/documents", wanted)
        assert (stored.status, stored.json["embedded_at"]) == (201, None)
    wait_for(lambda: all(one["embedded_at"] for one in listed(client, page)), 10)
    found = client.get(f"{page}/documents/search?question=carro").json
    assert (found["by_meaning"], found["passages"][0]["source"]) == (True, "Parking")
    call = worker.call([Step(AgentSilent(0.3), SPEAK)])
    wait_for(lambda: call.tenant.records and call.tenant.record.function_outputs, 15)
    ((_, output),) = call.tenant.record.function_outputs
    assert '"source":"Parking"' in output.replace(" ", "")
    call.caller.hang_up()
    call.wait()
    worker.stored()
    spent = database.execute(
        """select count(*), bool_and(conversation_uuid is null and purpose = 'embedding'),
             sum(input_text_tokens) > 0
           from v_voice_usage_realtime where model = %s""",
        MODEL,
    )
    assert spent == [(len(PAPERS) + 2, True, True)]


def listed(client, page):
    return client.get(f"{page}/documents").json["documents"]
