"""`knowledge`: the documents a domain's secretaries may look things up in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bridge.providers.base import Usage
from esl_controller.commands.booking import book, prices_of
from esl_controller.commands.columns import one_row, table
from esl_controller.commands.shared import confirm
from esl_controller.commands.site import Site, with_domain
from esl_controller.database.records import UsageRecord
from esl_controller.database.repository import knowledge
from esl_controller.knowledge import documents
from esl_controller.knowledge.documents import Document, DocumentRefused, format_of
from esl_controller.knowledge.found import Found, SearchFailed
from esl_controller.knowledge.reader import FORMATS, MAX_DOCUMENT_BYTES
from esl_controller.money.ledger import EMBEDDING
from esl_controller.services.systems import tenant_systems
from esl_controller.tenants.checks import LANGUAGE
from esl_controller.tenants.config import config_source
from esl_controller.tenants.editing import NoSuchRow

_LISTED = ("title", "source_format", "language", "passages", "embedded_at", "created_at")


@click.group()
def command() -> None:
    """Add, search and remove the documents of a domain.

    Secretaries with enable_rag answer from them. A document is named by its title or its UUID.
    """


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", help="What the model calls it; the file's name by default.")
@click.option("--language", help="Of its words, such as pt-BR. Without it whole words are found.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="Else by the file's name.")
@with_domain
def add(site: Site, file: Path, title: str | None, language: str | None, kind: str | None) -> None:
    """Add a text, Markdown file, PDF or saved web page; one of the same title is replaced."""
    kind = kind or format_of(file.name)
    if kind is None:
        raise click.UsageError(f"--format is needed for {file.name}: {', '.join(FORMATS)}")
    try:
        language = LANGUAGE.read(language) if language else None
    except ValueError as error:
        raise click.UsageError(f"--language {error}") from None
    with file.open("rb") as stream:
        content = stream.read(MAX_DOCUMENT_BYTES + 1)
    try:
        with site.shell.step(f"Reading {file.name}"):
            document = Document(title or file.stem, kind, language, content)
            row = documents.add(site.pool, site.domain_uuid, document)
    except DocumentRefused as error:
        raise site.shell.fail(f"{file.name} {error}") from None
    site.shell.result(row, f"{row['title']} is stored: {row['passages']} passages.")


@command.command("list")
@with_domain
def list_(site: Site) -> None:
    """List the documents of a domain."""
    with site.pool.connection(autocommit=True) as connection:
        rows = knowledge.list_documents(connection, site.domain_uuid)
    site.shell.result(rows, table(rows, _LISTED, "No documents."))


@command.command()
@click.argument("document")
@with_domain
def show(site: Site, document: str) -> None:
    """Show one document as it was cut."""
    row = _find(site, document)
    with site.pool.connection(autocommit=True) as connection:
        texts = knowledge.list_passages(connection, site.domain_uuid, row["document_uuid"])
    site.shell.result({**row, "texts": texts}, "\n\n".join([one_row(row), *texts]))


@command.command()
@click.argument("document")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_domain
def remove(site: Site, document: str, yes: bool) -> None:
    """Remove a document and its passages."""
    row = _find(site, document)
    confirm(site.shell, f"Remove {row['title']} of {site.domain_name}?", yes=yes)
    with site.pool.connection() as connection:
        knowledge.remove_document(connection, site.domain_uuid, row["document_uuid"])
    site.shell.result({"removed": row["document_uuid"]}, f"{row['title']} is removed.")


@command.command()
@click.argument("question")
@with_domain
def search(site: Site, question: str) -> None:
    """Show what the model would be given for QUESTION.

    A vector of the question is paid for, and booked to the domain, as in a call.
    """
    prices, spent = prices_of(site), list[Usage]()
    systems = tenant_systems(
        site.settings,
        config_source(site.settings, site.pool),
        site.pool,
        lambda usage, _uuid: spent.append(usage),
    )
    try:
        found = systems.knowledge.search(site.domain_uuid, question, timeout_s=10)
    except SearchFailed as error:
        raise site.shell.fail(str(error)) from None
    finally:
        systems.close()
        booked = book(site, prices, spent, purpose=EMBEDDING)
    passages = [{"source": one.source, "text": one.text} for one in found.passages]
    data = {"by_meaning": found.by_meaning, "why": found.why, "passages": passages}
    data["booked"] = [
        {"tokens": one.input_text_tokens, "cost_usd": one.cost_usd, "purpose": one.purpose}
        for one in booked
    ]
    lines = [f"{one.source}:\n{one.text}" for one in found.passages]
    lines = [_how(found), *lines] if lines else ["Nothing fits."]
    site.shell.result(data, "\n\n".join([*lines, *map(_cost, booked)]))


def _cost(booked: UsageRecord) -> str:
    """What a vector of the question cost, in words."""
    cost = "of no known price" if booked.cost_usd is None else f"{booked.cost_usd:f} USD"
    tokens = f"{booked.input_text_tokens} tokens of {booked.model}"
    return f"Booked to the domain: {tokens}, {cost}."


def _how(found: Found) -> str:
    how = "By meaning and words" if found.by_meaning else "By words"
    return f"{how}, because {found.why}:" if found.why else f"{how}:"


def _find(site: Site, name: str) -> dict[str, Any]:
    with site.pool.connection(autocommit=True) as connection:
        rows = knowledge.list_documents(connection, site.domain_uuid)
    for row in rows:
        if name.lower() in (row["document_uuid"], row["title"].lower()):
            return dict(row)
    raise NoSuchRow(f"the domain has no document {name!r}")
