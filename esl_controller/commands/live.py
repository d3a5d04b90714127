"""`live`: the calls going on in whatever worker, and what a person may do to them."""

from __future__ import annotations

import functools
import getpass
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from http import HTTPMethod
from typing import Any
from urllib.parse import quote

import click
import gevent
import msgspec
import requests

from esl_controller.commands.call_told import turn_told
from esl_controller.commands.columns import table
from esl_controller.commands.shared import Shell, with_database
from esl_controller.commands.site import find_domain, pool_of
from esl_controller.database.models import Turn
from esl_controller.database.pool import Pool
from esl_controller.database.repository import conversations, pages, tenants, workers
from esl_controller.database.repository.statements import Row

LOOK_S = 0.5
"""Between two looks at what was said."""
TIMEOUT_S = 10.0
_SHOWN = ("domain", "started_at", "direction", "caller_id", "destination", "total_turns")
Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One call somebody named."""

    shell: Shell
    pool: Pool
    domain_uuid: str
    call_uuid: str
    key: str
    """Of its conversation."""


def _with_call(function: Command) -> Command:
    """Give a command the argument CALL and --domain, and hand it the `LiveCall` first."""

    def command(shell: Shell, call_uuid: str, domain: str | None, **options: Any) -> None:
        with pool_of(shell, shell.settings()) as pool:
            function(_find(shell, pool, domain, call_uuid), **options)

    functools.update_wrapper(command, function)
    option = click.option("--domain", help="Its domain, by name or UUID; else all are looked at.")
    return click.argument("call_uuid", metavar="CALL")(option(with_database(command)))


def _find(shell: Shell, pool: Pool, domain: str | None, call_uuid: str) -> LiveCall:
    for row in _domains(pool, domain):
        with pool.connection(autocommit=True) as connection:
            key = pages.find_key_by_call(connection, row["domain_uuid"], call_uuid)
        if key is not None:
            return LiveCall(shell, pool, row["domain_uuid"], call_uuid, key)
    raise shell.fail(f"no call {call_uuid}")


def _domains(pool: Pool, name: str | None) -> list[Row]:
    if name is not None:
        return [find_domain(pool, name)]
    with pool.connection(autocommit=True) as connection:
        return tenants.list_domains(connection)


@click.group()
def command() -> None:
    """Calls going on: list and follow them, listen, whisper to the model, take over, hang up.

    CALL is FreeSWITCH's UUID of the call, as `live list` shows it. Each act is written down.
    """


@command.command("list")
@click.option("--domain", help="Only of this domain, by name or UUID.")
@with_database
def list_calls(shell: Shell, domain: str | None) -> None:
    """List the calls going on, in whatever worker of whatever host."""
    rows: list[dict[str, Any]] = []
    with pool_of(shell, shell.settings()) as pool:
        for row in _domains(pool, domain):
            with pool.connection(autocommit=True) as connection:
                found = pages.list_active(connection, row["domain_uuid"])
            rows += [{"domain": row["domain_name"], **asdict(one)} for one in found]
    shown = [{**row, "started_at": f"{row['started_at'].astimezone():%H:%M:%S}"} for row in rows]
    shell.result(rows, table(shown, [*_SHOWN, "call_uuid"], "No calls."))


@command.command()
@_with_call
def follow(call: LiveCall) -> None:
    """Print what is said, until the call has ended. With --json a line for each turn."""
    for turn in _turns(call):
        at = turn.started_at.astimezone()
        as_json = msgspec.json.encode(asdict(turn)).decode()
        click.echo(as_json if call.shell.as_json else f"{at:%H:%M:%S}  {turn_told(asdict(turn))}")


def _turns(call: LiveCall) -> Iterator[Turn]:
    """Each turn when it is known, and again when it is known better."""
    shown: dict[str, Turn] = {}
    while True:
        with call.pool.connection(autocommit=True) as connection:
            summary = pages.find_summary(connection, call.domain_uuid, call.key)
            turns = conversations.list_turns(connection, call.domain_uuid, call.key)
        for turn in turns:
            if shown.get(turn.turn_uuid) != turn:
                shown[turn.turn_uuid] = turn
                yield turn
        if summary is None or summary.ended_at is not None:
            return
        gevent.sleep(LOOK_S)


@command.command()
@_with_call
@click.argument("text")
@click.option("--respond", is_flag=True, help="The agent says something about it at once.")
def tell(call: LiveCall, text: str, respond: bool) -> None:
    """Tell the model TEXT; the caller does not hear it."""
    _act(call, "tell", {"text": text, "respond": respond})


@command.command()
@_with_call
@click.argument("extension")
def listen(call: LiveCall, extension: str) -> None:
    """Ring EXTENSION, which then hears both sides; nobody hears it."""
    _act(call, "listen", {"extension": extension})


@command.command()
@_with_call
@click.argument("extension")
def takeover(call: LiveCall, extension: str) -> None:
    """Send the caller to EXTENSION; the AI leaves the call."""
    _act(call, "takeover", {"extension": extension})


@command.command()
@_with_call
@click.argument("wanted", type=click.Choice(["start", "pause", "go_on", "stop"]))
def recording(call: LiveCall, wanted: str) -> None:
    """Start, pause, go on with or stop the recording."""
    _act(call, "recording", {"wanted": wanted})


@command.command()
@_with_call
def hangup(call: LiveCall) -> None:
    """End the call politely: a good-bye after what is being said."""
    _act(call, "hangup", None)


def _act(call: LiveCall, act: str, body: dict[str, Any] | None) -> None:
    """Ask the worker that has the call."""
    shell = call.shell
    token = shell.settings().http.admin_token.reveal()
    if not token:
        raise shell.fail("VOICE_AI_HTTP_ADMIN_TOKEN is not set, so the workers take no orders")
    with call.pool.connection(autocommit=True) as connection:
        owner = workers.find_owner(connection, call.domain_uuid, call.call_uuid)
    if owner is None or not owner.http_url:
        raise shell.fail(f"no worker has the call {call.call_uuid}")
    actor = quote(f"cli:{getpass.getuser()}", safe="")
    page = f"/api/v1/domains/{call.domain_uuid}/calls/{call.call_uuid}/{act}?actor={actor}"
    try:
        answer = _asked(f"{owner.http_url}{page}", token, body)
        told: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError) as error:
        why = type(error).__name__
        raise shell.fail(f"{owner.http_url}: the worker does not answer ({why})") from error
    if not answer.ok:
        raise shell.fail(str(told.get("detail") or told.get("title") or answer.status_code))
    shell.result(told, f"{act}: {told['result']}")
    if told["result"] in ("refused", "failed"):
        raise click.exceptions.Exit(1)


def _asked(url: str, token: str, body: dict[str, Any] | None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        return session.request(
            HTTPMethod.POST,
            url,
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
