"""Handlers: the documents a domain's secretaries may look things up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from pybase64 import b64decode

from esl_controller.database.repository import knowledge
from esl_controller.knowledge import documents
from esl_controller.knowledge.documents import Document, DocumentRefused
from esl_controller.knowledge.found import SearchFailed
from esl_controller.telemetry.background import in_thread
from esl_controller.tenants.checks import LANGUAGE
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import invalid, not_found, unavailable
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import Removed, _Answer
from esl_controller.web.words.told import told

MAX_BODY_BYTES = 4 << 20
"""Three megabytes in base64: what may be parsed beside calls. The command line takes more."""
_SEARCH_S = 5.0


class DocumentRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document to be stored."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    source_format: Literal["text", "markdown", "html", "pdf"]
    language: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    """Of its words, such as pt-BR; without it whole words are found."""
    content: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_BODY_BYTES)]
    """The file in base64."""


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for."""

    question: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class DocumentView(_Answer, frozen=True):
    """A document without its text."""

    document_uuid: str
    title: str
    source_format: str
    language: str | None
    size_bytes: int
    passages: int
    created_at: datetime
    embedded_at: datetime | None
    """Since when it is found by meaning too; null: by its words."""


class DocumentList(_Answer, frozen=True):
    """Every document of a domain, by title."""

    documents: Sequence[DocumentView]


class DocumentDetail(_Answer, frozen=True):
    """A document as it was cut."""

    document: DocumentView
    texts: Sequence[str]


class PassageView(_Answer, frozen=True):
    """Something that fits a question."""

    source: str
    text: str


class Passages(_Answer, frozen=True):
    """What a model would be given, the best first."""

    passages: Sequence[PassageView]
    by_meaning: bool
    """Else by their words alone."""
    why: str
    """Why by words alone, where the domain has a service for more; else empty."""


def list_documents(resources: Resources, request: Request) -> DocumentList:
    """All of a domain."""
    with resources.reading() as connection:
        rows = knowledge.list_documents(connection, request.domain_uuid)
    return DocumentList(documents=[_view(row) for row in rows])


def show_document(resources: Resources, request: Request) -> DocumentDetail:
    """One of a domain, with its text."""
    key = request.path["document_uuid"]
    with resources.reading() as connection:
        rows = knowledge.list_documents(connection, request.domain_uuid)
        texts = knowledge.list_passages(connection, request.domain_uuid, key)
    for row in rows:
        if row["document_uuid"] == key:
            return DocumentDetail(document=_view(row), texts=texts)
    raise not_found("document")


def add_document(resources: Resources, request: Request) -> DocumentView:
    """Read, cut and store one; one of the same title is replaced."""
    wanted: DocumentRequest = request.body
    try:
        language = LANGUAGE.read(wanted.language) if wanted.language else None
    except ValueError as error:
        raise invalid(f"language {error}") from None
    content = in_thread(partial(b64decode, validate=True), wanted.content, ValueError)
    if isinstance(content, ValueError):  # binascii.Error is one
        raise invalid("content is no base64")
    document = Document(wanted.title, wanted.source_format, language, content)
    with resources.gates.through(Gate.DOCUMENT):
        try:
            return _view(documents.add(resources.pool, request.domain_uuid, document))
        except DocumentRefused as error:
            raise invalid(f"document: {error}") from error


def remove_document(resources: Resources, request: Request) -> Removed:
    """With its passages."""
    key = request.path["document_uuid"]
    with resources.gates.through(Gate.READ), resources.pool.connection() as connection:
        if not knowledge.remove_document(connection, request.domain_uuid, key):
            raise not_found("document")
    return Removed(removed=key)


def search_documents(resources: Resources, request: Request) -> Passages:
    """As a function of the model searches."""
    wanted: SearchQuery = request.query
    with resources.gates.through(Gate.READ):
        try:
            found = resources.systems.knowledge.search(
                request.domain_uuid, wanted.question, timeout_s=_SEARCH_S
            )
        except SearchFailed as error:
            raise unavailable("documents", str(error)) from error
    passages = [PassageView(source=one.source, text=one.text) for one in found.passages]
    why = told(found.why, request.language)
    return Passages(passages=passages, by_meaning=found.by_meaning, why=why)


def _view(row: Mapping[str, Any]) -> DocumentView:
    shown = {name: row[name] for name in DocumentView.__struct_fields__}
    return DocumentView(**shown | ({} if row["embedded_as"] else {"embedded_at": None}))
