"""A domain's documents, and the passages they are searched by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor, execute_values

from esl_controller.database.repository.statements import (
    Row,
    as_stored,
    execute,
    fetch_all,
    fetch_one,
)

_COLUMNS = (
    "document_uuid, domain_uuid, title, source_format, language, text_search, size_bytes, "
    "passages, created_at, embedded_as, embedded_at"
)


def list_documents(connection: Connection, domain_uuid: str) -> list[Row]:
    """Return every document of the domain, without its text."""
    sql = f"""select {_COLUMNS} from v_voice_realtime_documents
              where domain_uuid = %s order by title"""
    return fetch_all(connection, sql, (domain_uuid,))


def list_passages(connection: Connection, domain_uuid: str, document_uuid: str) -> list[str]:
    """Return the text of a document, passage by passage."""
    sql = """select content from v_voice_realtime_passages
             where domain_uuid = %s and document_uuid = %s order by passage_number"""
    return [row["content"] for row in fetch_all(connection, sql, (domain_uuid, document_uuid))]


def totals(connection: Connection, domain_uuid: str) -> Row:
    """Return how many `documents` and `passages` the domain has."""
    sql = """select count(*) as documents, coalesce(sum(passages), 0) as passages
             from v_voice_realtime_documents where domain_uuid = %s"""
    return fetch_one(connection, sql, (domain_uuid,)) or {"documents": 0, "passages": 0}


def add_document(
    connection: Connection,
    domain_uuid: str,
    document: Mapping[str, Any],
    passages: Sequence[tuple[str, str]],
) -> Row:
    """Store a document with its passages, each as written and without accents."""
    names = ["domain_uuid", *document]
    sql = f"""insert into v_voice_realtime_documents ({", ".join(names)})
              values ({", ".join(["%s"] * len(names))}) returning {_COLUMNS}"""
    row = fetch_one(connection, sql, [domain_uuid, *map(as_stored, document.values())])
    assert row is not None  # an insert with RETURNING has its row
    config = document["text_search"]
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            """insert into v_voice_realtime_passages
                 (domain_uuid, document_uuid, passage_number, content, terms) values %s""",
            [
                (domain_uuid, document["document_uuid"], number, as_stored(content), config,
                 as_stored(content), config, as_stored(plain))
                for number, (content, plain) in enumerate(passages)
            ],
            template="(%s, %s, %s, %s, (to_tsvector(%s::regconfig, %s)"
            " || to_tsvector(%s::regconfig, %s))::text)",
            page_size=100,
        )  # fmt: skip
    return row


def remove_document(connection: Connection, domain_uuid: str, document_uuid: str) -> bool:
    """Remove a document with its passages; False when the domain has no such document."""
    sql = "delete from v_voice_realtime_documents where domain_uuid = %s and document_uuid = %s"
    return execute(connection, sql, (domain_uuid, document_uuid)) == 1


def remove_titled(connection: Connection, domain_uuid: str, title: str) -> bool:
    """Remove the document of this title; False when there is none."""
    sql = "delete from v_voice_realtime_documents where domain_uuid = %s and title = %s"
    return execute(connection, sql, (domain_uuid, title)) == 1


_BY_WORDS = """
  with asked as (
    select config,
      replace(plainto_tsquery(config::regconfig, %(question)s)::text, ' & ', ' | ')::tsquery
      || replace(plainto_tsquery(config::regconfig, %(plain)s)::text, ' & ', ' | ')::tsquery
        as words
    from (select distinct text_search as config from v_voice_realtime_documents
          where domain_uuid = %(domain_uuid)s) as configs)
  select p.passage_uuid, d.title, p.passage_number, p.content
  from asked
  join v_voice_realtime_documents d
    on d.text_search = asked.config and d.domain_uuid = %(domain_uuid)s
  join v_voice_realtime_passages p
    on p.document_uuid = d.document_uuid and p.domain_uuid = %(domain_uuid)s
  where p.lexemes @@ asked.words
  order by ts_rank_cd(p.lexemes, asked.words, 1) desc, d.title, p.passage_number limit %(limit)s"""
_BY_MEANING = """
  with sifted as materialized (
    select e.passage_uuid from v_voice_realtime_embeddings e,
      voice_ai_signs(translate(%(vector)s, '[]', '{}')::real[]) as asked
    where e.domain_uuid = %(domain_uuid)s and e.space = %(space)s
      and length(e.signs) = length(asked)
    order by bit_count(e.signs # asked) limit %(sifted)s)
  select p.passage_uuid, d.title, p.passage_number, p.content
  from sifted
  join v_voice_realtime_embeddings e
    on e.passage_uuid = sifted.passage_uuid and e.domain_uuid = %(domain_uuid)s
  join v_voice_realtime_passages p
    on p.passage_uuid = e.passage_uuid and p.domain_uuid = %(domain_uuid)s
  join v_voice_realtime_documents d
    on d.document_uuid = p.document_uuid and d.domain_uuid = %(domain_uuid)s
  order by e.embedding::vector <=> %(vector)s::vector, d.title, p.passage_number limit %(limit)s"""
SIFTED = 1000
"""Passages whose vectors are compared by all of their numbers: those whose signs differ least."""


def by_words(
    connection: Connection, domain_uuid: str, question: str, plain: str, limit: int
) -> list[Row]:
    """Return `passage_uuid`, `title`, `passage_number` and `content` of the passages that have the
    words of a question, the best first.

    Any of its words counts, more of them count more; each document is asked by the rules of its own
    language. `plain` is the question without accents.
    """
    values = {"question": as_stored(question), "plain": as_stored(plain), "limit": limit}
    return _found(connection, _BY_WORDS, domain_uuid, values)


def by_meaning(
    connection: Connection, domain_uuid: str, space: str, vector: str, limit: int
) -> list[Row]:
    """Return what `by_words` does of the passages whose vectors are nearest to a question's, a list
    of numbers in JSON. Needs pgvector, and PostgreSQL 14."""
    values = {"space": space, "vector": as_stored(vector), "sifted": SIFTED, "limit": limit}
    return _found(connection, _BY_MEANING, domain_uuid, values)


def _found(
    connection: Connection, sql: str, domain_uuid: str, values: Mapping[str, Any]
) -> list[Row]:
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(sql, {"domain_uuid": domain_uuid, **values})
        return list(cursor.fetchall())


def has_vectors(connection: Connection) -> bool:
    """Whether pgvector is installed where this role finds it: of the database, not of a domain."""
    row = fetch_one(connection, "select to_regtype('vector') is not null as there", ())
    return row is not None and bool(row["there"])


def wants_vectors(connection: Connection) -> bool:
    """Whether any domain has a service of its own that makes them."""
    sql = """select exists (select from v_voice_realtime_settings
             where embedding_url <> '' and embedding_model <> '') as wanted"""
    row = fetch_one(connection, sql, ())
    return row is not None and bool(row["wanted"])


def list_embedded(connection: Connection) -> list[Row]:
    """Return for every domain that has documents `embedding_url`, `embedding_model`, and
    `embedded_as` of its documents, each once: who is to be looked at."""
    sql = """select d.domain_uuid, d.embedded_as, s.embedding_url, s.embedding_model
             from v_voice_realtime_documents d
             left join v_voice_realtime_settings s on s.domain_uuid = d.domain_uuid
             group by d.domain_uuid, d.embedded_as, s.embedding_url, s.embedding_model"""
    return fetch_all(connection, sql, ())


def looks_alone(connection: Connection) -> bool:
    """Whether nobody else looks which documents of which domain need vectors, until the
    transaction's end."""
    sql = "select pg_try_advisory_xact_lock(hashtext('voice_ai_embeddings')) as alone"
    row = fetch_one(connection, sql, ())
    return row is not None and bool(row["alone"])


def not_embedded(connection: Connection, domain_uuid: str, space: str) -> list[str]:
    """Return the keys of documents that are not whole in `space`."""
    sql = """select document_uuid from v_voice_realtime_documents
             where domain_uuid = %s and embedded_as is distinct from %s order by created_at"""
    return [row["document_uuid"] for row in fetch_all(connection, sql, (domain_uuid, space))]


def to_embed(
    connection: Connection, domain_uuid: str, document_uuid: str, space: str, limit: int
) -> list[Row]:
    """Return `passage_uuid` and `content` of passages that have no vector in `space`."""
    sql = """select p.passage_uuid, p.content from v_voice_realtime_passages p
             where p.domain_uuid = %s and p.document_uuid = %s and not exists (
               select 1 from v_voice_realtime_embeddings e
               where e.domain_uuid = p.domain_uuid and e.passage_uuid = p.passage_uuid
                 and e.space = %s)
             order by p.passage_number limit %s"""
    return fetch_all(connection, sql, (domain_uuid, document_uuid, space, limit))


def add_embeddings(
    connection: Connection,
    domain_uuid: str,
    document_uuid: str,
    space: str,
    vectors: Sequence[tuple[str, str]],
) -> None:
    """Store vectors, lists of numbers in JSON, by passage, where the passage is still there. The
    document is no longer whole in another space."""
    sql = """update v_voice_realtime_documents set embedded_as = null
             where domain_uuid = %s and document_uuid = %s and embedded_as <> %s"""
    execute(connection, sql, (domain_uuid, document_uuid, space))
    with connection.cursor() as cursor:
        execute_values(
            cursor,
            """insert into v_voice_realtime_embeddings
                 (passage_uuid, domain_uuid, document_uuid, space, embedding)
               select p.passage_uuid, p.domain_uuid, p.document_uuid, given.space,
                 translate(given.vector, '[]', '{}')::real[]
               from (values %s) as given (domain_uuid, document_uuid, passage_uuid, space, vector)
               join v_voice_realtime_passages p on p.domain_uuid = given.domain_uuid
                 and p.document_uuid = given.document_uuid and p.passage_uuid = given.passage_uuid
               on conflict (passage_uuid) do update
                 set space = excluded.space, embedding = excluded.embedding
                 where v_voice_realtime_embeddings.domain_uuid = excluded.domain_uuid""",
            [
                (domain_uuid, document_uuid, passage_uuid, space, as_stored(vector))
                for passage_uuid, vector in vectors
            ],
            template="(%s::uuid, %s::uuid, %s::uuid, %s, %s)",
        )


def finish_embedding(
    connection: Connection, domain_uuid: str, document_uuid: str, space: str
) -> None:
    """The document can be found by meaning, whole."""
    sql = """update v_voice_realtime_documents set embedded_as = %s, embedded_at = now()
             where domain_uuid = %s and document_uuid = %s"""
    execute(connection, sql, (space, domain_uuid, document_uuid))


def vector_length(connection: Connection, domain_uuid: str, space: str) -> int:
    """Return how many numbers a vector of the domain in `space` has; 0: there is none."""
    sql = """select cardinality(embedding) as length from v_voice_realtime_embeddings
             where domain_uuid = %s and space = %s limit 1"""
    row = fetch_one(connection, sql, (domain_uuid, space))
    return 0 if row is None else int(row["length"])


def forget_misfits(connection: Connection, domain_uuid: str, space: str, vector: str) -> int:
    """The service's vectors have another length than those that are stored: have these made anew,
    those older than an hour. Return how many documents that is of."""
    sql = """with misfits as (
               delete from v_voice_realtime_embeddings e
               using v_voice_realtime_documents d
               where e.domain_uuid = %s and e.space = %s
                 and cardinality(e.embedding) <> cardinality(translate(%s, '[]', '{}')::real[])
                 and d.domain_uuid = e.domain_uuid and d.document_uuid = e.document_uuid
                 and d.embedded_at < now() - interval '1 hour'
               returning e.document_uuid)
             update v_voice_realtime_documents set embedded_as = null
             where domain_uuid = %s and document_uuid in (select document_uuid from misfits)"""
    return execute(connection, sql, (domain_uuid, space, vector, domain_uuid))
