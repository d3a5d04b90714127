"""`calls`: the conversations going on in this host's workers, or those of the past."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
import requests

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.database.models import ConversationRealtime
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository.conversations import list_conversations
from esl_controller.doctor.host import worker_url
from esl_controller.settings.table import Settings

_TIMEOUT_S = 5.0
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*[+-]\d\d:\d\d\Z")
"""As workers write it; people see it in their own time."""
_LIVE = ("call_uuid", "domain_uuid", "started_at", "provider", "turns")
_PAST = ("started_at", "caller_id", "destination", "outcome", "total_turns", "call_uuid")


@click.command()
@click.option("--past", is_flag=True, help="Stored conversations of one tenant instead.")
@click.option("--domain", "domain_uuid", help="The tenant, with --past.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@with_shell
def command(shell: Shell, past: bool, domain_uuid: str | None, limit: int) -> None:
    """List the conversations going on in the workers of this host."""
    settings = shell.settings()
    if not past:
        _show(shell, _live(shell, settings), _LIVE)
    elif domain_uuid is None:
        raise click.UsageError("--past needs --domain")
    else:
        rows = [asdict(row) for row in _stored(shell, settings, domain_uuid, limit)]
        _show(shell, rows, _PAST)


def _live(shell: Shell, settings: Settings) -> list[dict[str, Any]]:
    """Ask every worker; those that do not answer are told, all silent is an error."""
    if not settings.http.admin_token:
        raise shell.fail("set VOICE_AI_HTTP_ADMIN_TOKEN: the workers ask for it")
    rows, silent = [], 0
    for index in range(settings.worker.count):
        try:
            rows += [{"worker": index, **row} for row in _ask(settings, index)]
        except (requests.RequestException, KeyError, ValueError) as error:
            silent += 1
            shell.say(f"worker {index} at {worker_url(settings, index, '')}: {_why(error)}")
    if silent == settings.worker.count:
        where = worker_url(settings, 0, "")
        raise shell.fail(f"no worker of this host shows its calls (the first: {where})")
    return rows


def _why(error: Exception) -> str:
    """What to tell of a worker that did not answer as it should."""
    if isinstance(error, requests.HTTPError):
        refused = error.response.status_code in {401, 403}
        hint = "; is VOICE_AI_HTTP_ADMIN_TOKEN the worker's?" if refused else ""
        return f"answers {error.response.status_code} {error.response.reason}{hint}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_TIMEOUT_S:g} s"
    if isinstance(error, requests.ConnectionError):
        return "nothing listens there"
    return "what answers there is no worker"


def _ask(settings: Settings, index: int) -> list[dict[str, Any]]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        reply = session.get(
            worker_url(settings, index, "/admin/sessions"),
            headers={"Authorization": f"Bearer {settings.http.admin_token.reveal()}"},
            timeout=_TIMEOUT_S,
        )
    reply.raise_for_status()
    sessions: list[dict[str, Any]] = reply.json()["sessions"]
    return sessions


def _stored(
    shell: Shell, settings: Settings, domain_uuid: str, limit: int
) -> Sequence[ConversationRealtime]:
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        try:
            with pool.connection() as connection:
                now = datetime.now(UTC)
                return list_conversations(connection, domain_uuid, started_before=now, limit=limit)
        except DatabaseError as error:
            raise shell.fail(str(error)) from error
        finally:
            pool.close()


def _show(shell: Shell, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in [columns, *cells]]
    shell.result(list(rows), "\n".join(lines) if rows else "No conversations.")


def _cell(value: object) -> str:
    if isinstance(value, str) and _MOMENT.match(value):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)
