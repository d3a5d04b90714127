"""`secretary`: who answers which number, and how."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from esl_controller.commands.columns import column_options, given_values, one_row, table
from esl_controller.commands.shared import EXIT_FAILED, EXIT_SETTINGS, confirm
from esl_controller.commands.site import Site, find_domain, with_domain
from esl_controller.routes.routing import Outcome
from esl_controller.routes.verdict import Verdict
from esl_controller.tenants.editing import Editor
from esl_controller.tenants.fields import PROVIDER, SECRETARY

_LISTED = ("extension", "secretary_name", "language", "realtime_provider", "voice_id", "enabled")
_KEY = SECRETARY.table.key
_NOT_COPIED = (_KEY, "domain_uuid", "voice_secretary_uuid", "rag_collection_id")
_provider = click.option("--provider", help="Label or UUID of the provider row it speaks through.")


@click.group()
def command() -> None:
    """Add, change and check the secretaries of a domain.

    A secretary is named by its number, its name or its UUID. A change is used by the next call.
    Long texts and JSON may be read from a file: --prompt @prompt.txt.
    """


@command.command("list")
@with_domain
def list_(site: Site) -> None:
    """List the secretaries of a domain."""
    rows = site.editor.rows(SECRETARY)
    site.shell.result(rows, table(rows, _LISTED, "No secretaries."))


@command.command()
@click.argument("secretary")
@with_domain
def show(site: Site, secretary: str) -> None:
    """Show everything of one secretary."""
    row = site.editor.find(SECRETARY, secretary)
    site.shell.result(row, one_row(row))


@command.command()
@click.argument("extension")
@column_options(SECRETARY, without=("extension", "voice_realtime_provider_uuid"))
@_provider
@with_domain
def add(site: Site, extension: str, provider: str | None, **options: Any) -> None:
    """Add a secretary that answers the number EXTENSION.

    esl-controller secretary add 8000 --name Reception --language en --prompt @prompt.txt
    """
    values = {**_given(site, provider, options), "extension": extension}
    _stored(site, site.editor.add(SECRETARY, values))


@command.command("set")
@click.argument("secretary")
@column_options(SECRETARY, without=("voice_realtime_provider_uuid",))
@_provider
@with_domain
def set_(site: Site, secretary: str, provider: str | None, **options: Any) -> None:
    """Change a secretary; an empty value takes one away.

    esl-controller secretary set 8000 --voice cedar first_message="Good morning!"
    """
    values = _given(site, provider, options)
    _stored(site, site.change(SECRETARY, secretary, values, such_as="--voice cedar"))


@command.command()
@click.argument("secretary")
@click.argument("extension")
@click.option("--to-domain", help="Copy to this domain instead of within the same.")
@click.option("--name", help="Name of the new one; the same by default.")
@with_domain
def copy(
    site: Site, secretary: str, extension: str, to_domain: str | None, name: str | None
) -> None:
    """Add a secretary like SECRETARY that answers EXTENSION.

    In another domain it speaks through that domain's own provider.
    """
    source = site.editor.find(SECRETARY, secretary)
    values = {column: value for column, value in source.items() if column not in _NOT_COPIED}
    values |= {"extension": extension, "secretary_name": name or source["secretary_name"]}
    editor = site.editor
    if to_domain is not None:
        other = find_domain(site.pool, to_domain)
        site = Site(
            site.shell, site.settings, site.pool, other["domain_uuid"], other["domain_name"]
        )
        editor = site.editor
        del values["voice_realtime_provider_uuid"]
    _stored(site, editor.add(SECRETARY, values))


@command.command()
@click.argument("secretary", required=False)
@with_domain
def check(site: Site, secretary: str | None) -> None:
    """Say what a call to a secretary's number would meet now, and what is wrong with its row.

    Without SECRETARY all of the domain. Exit code 1 when a number is not answered by the AI.
    """
    editor = site.editor
    rows = editor.rows(SECRETARY) if secretary is None else [editor.find(SECRETARY, secretary)]
    judged = [(row, _judged(site, row)) for row in rows if row["enabled"] and row["extension"]]
    data = [_data(row, verdict) for row, verdict in judged]
    text = "\n".join(_told(row, verdict) for row, verdict in judged)
    site.shell.result(data, text or "No secretary of this domain is enabled.")
    if any(verdict.outcome is not Outcome.REALTIME for _, verdict in judged) or not judged:
        sys.exit(EXIT_FAILED)


@command.command()
@click.argument("secretary")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_domain
def remove(site: Site, secretary: str, yes: bool) -> None:
    """Remove a secretary. Its conversations stay."""
    row = site.editor.find(SECRETARY, secretary)
    name, number = row["secretary_name"], row["extension"] or "no number"
    question = f"Remove {name} ({number}) of {site.domain_name}? Its number is no longer answered."
    confirm(site.shell, question, yes=yes)
    site.editor.remove(SECRETARY, row[_KEY])
    site.shell.result({"removed": row[_KEY]}, f"{name} ({number}) is removed.")


def _given(site: Site, provider: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    values = given_values(SECRETARY, options)
    if provider is not None:
        values["voice_realtime_provider_uuid"] = _provider_key(site.editor, provider)
    return values


def _provider_key(editor: Editor, name: str) -> str | None:
    if name == "":
        return None
    key: str = editor.find(PROVIDER, name)[PROVIDER.table.key]
    return key


def _stored(site: Site, row: Mapping[str, Any]) -> None:
    """What was stored, and what a call would meet now. Exit code 2 when that is refused."""
    if not (row["enabled"] and row["extension"]):
        site.shell.result({"secretary": row}, f"{row['secretary_name']} is stored, and not in use.")
        return
    verdict = _judged(site, row)
    text = f"{row['secretary_name']} is stored.\n{_told(row, verdict)}"
    site.shell.result({"secretary": row, "check": _data(row, verdict)}, text)
    if verdict.problems:
        sys.exit(EXIT_SETTINGS)


def _judged(site: Site, row: Mapping[str, Any]) -> Verdict:
    return site.verdict(row["extension"])


def _data(row: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {
        "extension": row["extension"],
        "secretary": row["secretary_name"],
        "outcome": verdict.outcome.value,
        "why": verdict.why,
        "destination": verdict.destination,
        "providers": verdict.providers,
        "problems": list(verdict.problems),
        "warnings": list(verdict.warnings),
    }


def _told(row: Mapping[str, Any], verdict: Verdict) -> str:
    lines = [f"{row['extension']}: {verdict.outcome.value}: {verdict.why}."]
    if verdict.providers:
        lines.append(f"providers: {', then '.join(verdict.providers)}")
    lines += [f"wrong: {problem}" for problem in verdict.problems]
    lines += [f"warning: {warning}" for warning in verdict.warnings]
    return "\n  ".join(lines)
