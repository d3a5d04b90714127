"""`outbound`: calls the AI is to make, and what became of them."""

from __future__ import annotations

import getpass
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from esl_controller.commands.columns import table
from esl_controller.commands.moments import Moment
from esl_controller.commands.site import Site, with_domain
from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.database.repository import conversations, outbound
from esl_controller.esl.dialable import DIALABLE
from esl_controller.tenants.config import config_source
from esl_controller.tenants.rules import ConfigError

_SHOWN = ("not_before", "number", "extension", "status", "attempts", "answered_by", "cause")
DEFAULT_WINDOW = timedelta(days=1)


@click.group()
def command() -> None:
    """Calls the AI is to make: ask for one, list them, cancel one.

    Any worker with room makes a call, within the secretary's hours and the domain's caps.
    """


@command.command()
@click.argument("number")
@click.argument("extension")
@click.option("--purpose", help="Why, for the model.")
@click.option("--caller-id", help="Number to show to who is called.")
@click.option("--at", type=Moment(), help="Not before: 14:30, 2026-12-01T09:00.")
@click.option("--until", type=Moment(), help="Not after.  [default: a day later]")
@click.option("--attempts", default=3, show_default=True, type=click.IntRange(1, 10))
@with_domain
def add(site: Site, number: str, extension: str, **options: Any) -> None:
    """Have NUMBER called; the secretary of EXTENSION talks.

    NUMBER is an extension of the domain, or what its outbound routes take.
    """
    for text in (number, extension, options["caller_id"] or number):
        if not DIALABLE.fullmatch(text):
            raise site.shell.fail(f"{text!r} cannot be dialled")
    _require_allowed(site, extension)
    now = datetime.now(UTC)
    begins = max(options["at"] or now, now)
    ends = options["until"] or begins + DEFAULT_WINDOW
    if ends <= begins:
        raise site.shell.fail("--until must be after --at")
    call = OutboundCall(
        outbound_uuid=str(uuid.uuid4()),
        domain_uuid=site.domain_uuid,
        extension=extension,
        number=number,
        caller_id=options["caller_id"],
        purpose=options["purpose"],
        origin="cli",
        requested_by=f"cli:{getpass.getuser()}",
        not_before=begins,
        not_after=ends,
        max_attempts=options["attempts"],
        created_at=now,
    )
    with site.pool.connection(autocommit=True) as connection:
        conversations.store(connection, site.domain_uuid, call)
    site.shell.result(asdict(call), f"To be called: {call.outbound_uuid}")


@command.command("list")
@click.option("--status", help="Only with this status.")
@with_domain
def list_calls(site: Site, status: str | None) -> None:
    """List calls to be made and made, newest first."""
    with site.pool.connection(autocommit=True) as connection:
        rows = [asdict(one) for one in outbound.list_calls(connection, site.domain_uuid, status)]
    shown = [{**row, "not_before": f"{row['not_before'].astimezone():%m-%d %H:%M}"} for row in rows]
    site.shell.result(rows, table(shown, [*_SHOWN, "outbound_uuid"], "No calls."))


@command.command()
@click.argument("outbound_uuid", metavar="UUID", type=click.UUID)
@with_domain
def cancel(site: Site, outbound_uuid: uuid.UUID) -> None:
    """Do not make the call, if it waits."""
    with site.pool.connection(autocommit=True) as connection:
        done = outbound.cancel(connection, site.domain_uuid, str(outbound_uuid))
    if not done:
        raise site.shell.fail(f"no call {outbound_uuid} waits")
    site.shell.result({"cancelled": str(outbound_uuid)}, f"Cancelled: {outbound_uuid}")


def _require_allowed(site: Site, extension: str) -> None:
    try:
        entry = config_source(site.settings, site.pool).load(site.domain_uuid, extension)
    except ConfigError as error:
        raise site.shell.fail("; ".join(error.problems)) from error
    if not isinstance(entry, RouteEntry):
        raise site.shell.fail(f"no realtime secretary has {extension}")
    if not entry.tenant.outbound_max_concurrent:
        words = "the domain makes no calls: outbound_max_concurrent of `tenant` is 0"
        raise site.shell.fail(words)
