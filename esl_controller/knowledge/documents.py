"""Documents go in: read in another process, cut, and stored whole or not at all."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass

import msgspec
from gevent import subprocess

from bridge.wire.turns import others_first
from esl_controller.database.pool import Pool, RowRefused
from esl_controller.database.repository import knowledge
from esl_controller.database.repository.statements import Row
from esl_controller.knowledge.reader import (
    FORMATS,
    MAX_DOCUMENT_BYTES,
    UNREADABLE,
    Unreadable,
    passages_of,
    text_of,
)

READ_S = 60.0
PLAIN = ("text", "markdown")
SMALL_BYTES = 16 * 1024
"""Plain text up to here is read at once; all else in a process of its own."""
MAX_DOCUMENTS = 500
"""Of a domain."""
MAX_PASSAGES = 20_000
"""Of a domain: a search stays a matter of milliseconds."""
MAX_TITLE = 255
_UNIQUE = "23505"
CONFIGURATIONS = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fr": "french",
    "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ru": "russian",
    "sv": "swedish", "tr": "turkish",
}  # fmt: skip
"""PostgreSQL's text search configuration of a language; others are searched by whole words."""


class DocumentRefused(Exception):
    """A document was not stored; the text says why."""


@dataclass(frozen=True, slots=True)
class Document:
    """One to be stored."""

    title: str
    source_format: str
    """text | markdown | html | pdf"""
    language: str | None
    """BCP 47."""
    content: bytes


def format_of(name: str) -> str | None:
    """What a file is by the end of its name; None: unknown."""
    ending = name.lower().rpartition(".")[2]
    endings = {"txt": "text", "md": "markdown", "markdown": "markdown", "htm": "html"}
    return endings.get(ending, ending if ending in FORMATS else None)


def configuration_of(language: str | None) -> str:
    """PostgreSQL's text search configuration for a language tag."""
    return CONFIGURATIONS.get(
        (language or "").lower().replace("_", "-").partition("-")[0], "simple"
    )


def read_passages(source_format: str, content: bytes) -> list[tuple[str, str]]:
    """The passages of a document, as written and without accents. Raises DocumentRefused."""
    if source_format not in FORMATS:
        raise DocumentRefused(f"the format must be one of {', '.join(FORMATS)}")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DocumentRefused(f"has more than {MAX_DOCUMENT_BYTES} bytes")
    if source_format in PLAIN and len(content) <= SMALL_BYTES:
        try:
            return passages_of(text_of(source_format, content))
        except Unreadable as error:
            raise DocumentRefused(str(error)) from None
    passages = []
    for number, line in enumerate(_read_elsewhere(source_format, content).splitlines()):
        passages.append(msgspec.json.decode(line, type=tuple[str, str]))
        if number % 50 == 0:
            others_first()
    return passages


def _read_elsewhere(source_format: str, content: bytes) -> bytes:
    command = [sys.executable, "-m", "esl_controller.knowledge.reader", source_format]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path))}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        try:
            out, said = process.communicate(content, timeout=READ_S)
        except subprocess.TimeoutExpired:
            raise DocumentRefused("takes too long to read") from None
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode == UNREADABLE:
        raise DocumentRefused(said.decode(errors="replace")[:300])
    if process.returncode != 0:
        raise DocumentRefused("cannot be read: it takes too much time or memory")
    told: bytes = out
    return told


def add(pool: Pool, domain_uuid: str, document: Document) -> Row:
    """Read, cut and store a document; one of the same title is replaced.

    May take a minute. Raises DocumentRefused, DatabaseError.
    """
    title = " ".join(document.title.split())[:MAX_TITLE]
    if not title:
        raise DocumentRefused("needs a title")
    passages = read_passages(document.source_format, document.content)
    row = {
        "document_uuid": str(uuid.uuid4()),
        "title": title,
        "source_format": document.source_format,
        "language": document.language,
        "text_search": configuration_of(document.language),
        "size_bytes": len(document.content),
        "passages": len(passages),
    }
    try:
        with pool.connection() as connection:
            knowledge.remove_titled(connection, domain_uuid, title)
            stored = knowledge.totals(connection, domain_uuid)
            if stored["documents"] >= MAX_DOCUMENTS:
                raise DocumentRefused(f"the domain has {MAX_DOCUMENTS} documents already")
            if stored["passages"] + len(passages) > MAX_PASSAGES:
                raise DocumentRefused(f"the domain would have more than {MAX_PASSAGES} passages")
            return knowledge.add_document(connection, domain_uuid, row, passages)
    except RowRefused as error:
        if error.sqlstate == _UNIQUE:
            raise DocumentRefused("was just stored by somebody else") from None
        raise
