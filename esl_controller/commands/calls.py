"""`calls`: conversations going on in any worker, those of the past, and one in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from esl_controller.commands.call_found import chosen_domains, whole
from esl_controller.commands.call_told import call_told
from esl_controller.commands.columns import table
from esl_controller.commands.explain import LOG_HELP, Sought, explained
from esl_controller.commands.moments import Moment
from esl_controller.commands.shared import Shell, with_database
from esl_controller.commands.site import pool_of
from esl_controller.database.pool import Pool
from esl_controller.database.repository import pages
from esl_controller.database.repository.pages import Wanted
from esl_controller.database.repository.statements import Row
from esl_controller.tenants.editing import Editor
from esl_controller.tenants.fields import SECRETARY

_LIVE = ("domain", "started_at", "caller_id", "destination", "provider", "total_turns", "call_uuid")
_PAST = (
    "domain",
    "started_at",
    "caller_id",
    "destination",
    "outcome",
    "total_turns",
    "call_uuid",
    "reason",
)


@click.group(invoke_without_command=True)
@click.option("--past", is_flag=True, help="Stored conversations instead of those going on.")
@click.option("--domain", help="Only of this domain, by name or UUID.")
@click.option("--since", type=Moment(), help="Begun then or later: yesterday, 2h, 2026-11-29.")
@click.option("--until", type=Moment(), help="Begun before.")
@click.option("--failed", is_flag=True, help="Only those the AI did not take or keep.")
@click.option("--outcome", type=click.Choice(pages.OUTCOMES), help="Only with this outcome.")
@click.option("--secretary", help="Only of this secretary: number, name or UUID; needs --domain.")
@click.option("--caller", help="Only of callers whose number ends so.")
@click.option("--text", help="Only where this was said.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@with_database
@click.pass_context
def command(context: click.Context, /, shell: Shell, **options: Any) -> None:
    """List the conversations going on, in whatever worker of whatever host.

    With --past, or any condition, those that are stored: newest first.
    """
    if context.invoked_subcommand is None:
        _list(shell, options)


def _list(shell: Shell, options: dict[str, Any]) -> None:
    """What the group does without a command."""
    conditions = ("since", "until", "failed", "outcome", "secretary", "caller", "text")
    past = options["past"] or any(options[name] for name in conditions)
    with pool_of(shell, shell.settings()) as pool:
        domains = chosen_domains(pool, options["domain"])
        rows = _past(pool, domains, options) if past else _live(pool, domains)
    shown = [{**row, "started_at": _local(row["started_at"])} for row in rows]
    columns = [name for name in (_PAST if past else _LIVE) if _has(shown, name)]
    shell.result(rows, table(shown, columns, "No conversations."))


def _local(at: datetime) -> str:
    """In the zone of whoever looks."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _has(rows: Sequence[Row], name: str) -> bool:
    """A column of one value only, or of none, is left out."""
    if name == "domain":
        return len({row["domain"] for row in rows}) > 1
    return name != "reason" or any(row.get(name) for row in rows)


def _live(pool: Pool, domains: Sequence[Row]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with pool.connection(autocommit=True) as connection:
        for domain in domains:
            found = pages.list_active(connection, domain["domain_uuid"])
            rows += [{"domain": domain["domain_name"], **asdict(one)} for one in found]
    return sorted(rows, key=lambda row: row["started_at"], reverse=True)


def _past(pool: Pool, domains: Sequence[Row], options: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = Wanted(
        started_from=options["since"],
        started_before=options["until"],
        outcome=options["outcome"],
        failed=options["failed"] or None,
        caller_suffix=options["caller"],
        text=options["text"],
        secretary_realtime_uuid=_secretary(pool, domains, options),
    )
    rows: list[dict[str, Any]] = []
    with pool.connection(autocommit=True) as connection:
        for domain in domains:
            found = pages.list_page(connection, domain["domain_uuid"], wanted, options["limit"])
            rows += [{"domain": domain["domain_name"], **asdict(one)} for one in found]
    return sorted(rows, key=lambda row: row["started_at"], reverse=True)[: options["limit"]]


def _secretary(pool: Pool, domains: Sequence[Row], options: dict[str, Any]) -> str | None:
    name = options["secretary"]
    if name is None:
        return None
    if len(domains) != 1:
        raise click.UsageError("--secretary needs --domain")
    editor = Editor(pool, domains[0]["domain_uuid"])
    key: str = editor.find(SECRETARY, name)[SECRETARY.table.key]
    return key


@command.command()
@click.argument("name", metavar="CALL")
@click.option("--domain", help="Its domain, by name or UUID; else it is looked for in all.")
@click.option("--log", "logs", multiple=True, type=click.File("rb"), help=LOG_HELP)
@click.option("--language", type=click.Choice(("en", "pt")), default="en", show_default=True)
@with_database
def explain(shell: Shell, **options: Any) -> None:
    """Say why a call went as it did: the root cause first, what the caller heard, what to do.

    Looks at the database, at the spool of this host and at the log. CALL is its UUID, as
    FreeSWITCH has it, or the conversation's. The log is that of the shipped supervisord.conf, or
    what --log names: `journalctl -u 'voice-ai@*' -o cat | esl-controller calls explain --log - …`
    """
    explained(shell, Sought(**options))


@command.command()
@click.argument("name", metavar="UUID")
@click.option("--domain", help="Its domain, by name or UUID; else it is looked for in all.")
@with_database
def show(shell: Shell, name: str, domain: str | None) -> None:
    """Show one conversation in full: what was said and done, where it went, cost, why it ended.

    UUID is the call's, as FreeSWITCH has it, or the conversation's.
    """
    with pool_of(shell, shell.settings()) as pool:
        for row in chosen_domains(pool, domain):
            found = whole(pool, row["domain_uuid"], name)
            if found is not None:
                found = {"domain": row["domain_name"], **found}
                shell.result(found, call_told(found))
                return
    raise shell.fail(f"no conversation {name}")
