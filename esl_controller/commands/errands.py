"""`errands`: what is still to be delivered, and what was given up."""

from __future__ import annotations

import getpass
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from esl_controller.commands.call_found import chosen_domains
from esl_controller.commands.columns import one_row, table
from esl_controller.commands.shared import Shell, confirm, with_database
from esl_controller.commands.site import Site, pool_of, with_domain
from esl_controller.database.acts import QueuedErrand
from esl_controller.database.pool import GreenConnection
from esl_controller.database.repository import conversations, errands
from esl_controller.record.audit import audit_of_errand

_SHOWN = ("created_at", "kind", "state", "attempts", "next_at", "last_error", "errand_uuid")
_MAX_ERROR = 60
_UUID = click.argument("errand_uuid", metavar="UUID", type=click.UUID)


@click.group()
def command() -> None:
    """What must happen even if the other side is down: webhooks, e-mails, tickets, summaries.

    Workers try again by themselves; what they have given up is `dead` until somebody sends it
    again.
    """


@command.command("list")
@click.option(
    "--state", type=click.Choice(["queued", "running", "delivered", "dead"]), help="Only these."
)
@click.option("--domain", help="Name or UUID of the domain.  [default: all]")
@with_database
def list_(shell: Shell, state: str | None, domain: str | None) -> None:
    """List the errands of a domain, or of every domain, newest first."""
    found: list[tuple[str, QueuedErrand]] = []
    with pool_of(shell, shell.settings()) as pool:
        domains = chosen_domains(pool, domain)
        for one in domains:
            with pool.connection(autocommit=True) as connection:
                rows = errands.list_errands(connection, one["domain_uuid"], state=state)
            found += [(one["domain_name"], row) for row in rows]
    found.sort(key=lambda pair: pair[1].created_at, reverse=True)
    columns = _SHOWN if len(domains) == 1 else ("domain_name", *_SHOWN)
    shown = [{"domain_name": name, **_short(row)} for name, row in found]
    data = [{**asdict(row), "payload": None, "result": None} for _, row in found]
    shell.result(data, table(shown, columns, "No errands."))


@command.command()
@_UUID
@with_domain
def show(site: Site, errand_uuid: uuid.UUID) -> None:
    """Show an errand with what it carries, which callers may have said."""
    with site.pool.connection(autocommit=True) as connection:
        row = asdict(_found(site, connection, errand_uuid))
    payload = json.dumps(row["payload"], ensure_ascii=False, indent=2)
    site.shell.result(row, one_row({**row, "payload": payload}))


@command.command()
@_UUID
@with_domain
def retry(site: Site, errand_uuid: uuid.UUID) -> None:
    """Send an errand again that was given up, or do not wait for its next attempt."""
    _act(site, errand_uuid, "errand_retry", errands.send_again)
    site.shell.result({"queued": str(errand_uuid)}, f"Queued: {errand_uuid}")


@command.command()
@_UUID
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_domain
def drop(site: Site, errand_uuid: uuid.UUID, yes: bool) -> None:
    """Drop an errand that was given up or waits: it will not be delivered."""
    confirm(site.shell, f"Drop {errand_uuid} for good?", yes=yes)
    _act(site, errand_uuid, "errand_drop", errands.drop)
    site.shell.result({"dropped": str(errand_uuid)}, f"Dropped: {errand_uuid}")


def _act(
    site: Site,
    errand_uuid: uuid.UUID,
    action: str,
    do: Callable[[GreenConnection, str, str], bool],
) -> None:
    with site.pool.connection() as connection:
        found = _found(site, connection, errand_uuid)
        if not do(connection, site.domain_uuid, str(errand_uuid)):
            raise site.shell.fail(f"{errand_uuid} is {found.state}")
        actor = f"cli:{getpass.getuser()}"
        row = audit_of_errand(connection, found, actor, action, None)
        conversations.store(connection, site.domain_uuid, row)


def _found(site: Site, connection: GreenConnection, errand_uuid: uuid.UUID) -> QueuedErrand:
    found = errands.find(connection, site.domain_uuid, str(errand_uuid))
    if found is None:
        raise site.shell.fail(f"the domain has no errand {errand_uuid}")
    return found


def _short(row: QueuedErrand) -> dict[str, Any]:
    times = {
        name: f"{getattr(row, name).astimezone():%m-%d %H:%M}" for name in ("created_at", "next_at")
    }
    return {**asdict(row), **times, "last_error": (row.last_error or "")[:_MAX_ERROR]}
