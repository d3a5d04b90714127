"""A domain's documents, and the passages they are searched by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from esl_controller.database.repository.statements import (
    Row,
    as_stored,
    execute,
    fetch_all,
    fetch_one,
)

_COLUMNS = (
    "document_uuid, domain_uuid, title, source_format, language, text_search, size_bytes, "
    "passages, created_at"
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


def search(
    connection: Connection, domain_uuid: str, question: str, plain: str, limit: int
) -> list[Row]:
    """Return `title`, `content` and `rank` of the passages that fit a question best.

    Any of its words counts, more of them count more; each document is asked by the rules of its own
    language. `plain` is the question without accents.
    """
    sql = """
      with asked as (
        select config,
          replace(plainto_tsquery(config::regconfig, %s)::text, ' & ', ' | ')::tsquery
          || replace(plainto_tsquery(config::regconfig, %s)::text, ' & ', ' | ')::tsquery as words
        from (select distinct text_search as config from v_voice_realtime_documents
              where domain_uuid = %s) as configs)
      select d.title, p.content, ts_rank_cd(p.terms::tsvector, asked.words, 1) as rank
      from asked
      join v_voice_realtime_documents d on d.text_search = asked.config and d.domain_uuid = %s
      join v_voice_realtime_passages p
        on p.document_uuid = d.document_uuid and p.domain_uuid = %s
      where p.terms::tsvector @@ asked.words
      order by rank desc, d.title, p.passage_number limit %s"""
    parameters = (as_stored(question), as_stored(plain), *[domain_uuid] * 3, limit)
    return fetch_all(connection, sql, parameters)
