"""`esl-controller simulate systems`: a tenant's own systems in software, to try functions with."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import gevent
import gevent.event
import msgspec

from esl_controller.commands.shared import Shell, with_shell

MARIA = {
    "id": "C-1",
    "name": "Maria Silva",
    "company": "Padaria Silva",
    "phone": "+5511999990000",
    "notes": "Prefers mornings.",
}
_OF_TENANT = ("ticket_url", "crm_url", "agenda_url", "webhook_url", "summary_url")


@click.group()
def command() -> None:
    """What the service talks to, in software."""


@command.command()
@click.option("--port", default=0, show_default=True, help="The first of four; 0 takes free ones.")
@click.option("--token", default="reference-token", show_default=True, help="What we must send.")
@click.option(
    "--customers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON list of customers, as docs/contracts/crm.yaml has them.",
)
@click.option("--wait", default=0.0, help="Seconds before each answer of tickets, CRM and agenda.")
@click.option("--refuse", type=int, help="Status they refuse everything with.")
@click.option("--mcp/--no-mcp", default=None, help="Whether with an MCP server.")
@with_shell
def systems(shell: Shell, port: int, **options: Any) -> None:
    """Serve tickets, customers, an agenda, webhooks, a mail server, a text service and MCP.

    On loopback, until Ctrl-C. Prints how a tenant is set up with them, then a line of JSON for
    everything that comes. VOICE_AI_SERVICES_ALLOWED_HOSTS=127.0.0.1 lets a worker reach them.
    """
    from esl_controller.simulator.systems.house import SystemsHouse, has_mcp
    from esl_controller.simulator.systems.server import Faults

    house = SystemsHouse(
        _print,
        options["token"],
        _customers(shell, options["customers"]),
        Faults(wait_s=options["wait"], refuse_status=options["refuse"]),
    )
    mcp = has_mcp() if options["mcp"] is None else options["mcp"]
    try:
        found = house.start(mcp=mcp, port=port)
    except OSError as error:
        house.stop()
        raise shell.fail(f"cannot listen: {error}") from error
    ended = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, ended.set)
    shell.result({**found, "token": options["token"]}, set_up(found, options["token"]))
    ended.wait()
    house.stop()


def set_up(found: Mapping[str, str], token: str) -> str:
    """The commands that give a tenant these systems."""
    words = [f"--{name.replace('_', '-')} {found[name]}" for name in _OF_TENANT]
    lines = [
        "esl-controller tenant set --domain DOMAIN " + " ".join(words),
        f"  and, each asked for, the keys {token}: --ticket-key-prompt …",
        f"VOICE_AI_MAIL_HOST=127.0.0.1 VOICE_AI_MAIL_PORT={found['mail_port']} "
        "VOICE_AI_MAIL_SECURITY=none",
    ]
    if "mcp_url" in found:
        lines.append(
            f"esl-controller function add shop --domain DOMAIN --kind mcp --url {found['mcp_url']} "
            "--description Shop --mcp-tools '[\"stock\"]'"
        )
    return "\n".join(lines)


def _customers(shell: Shell, file: Path | None) -> list[dict[str, Any]]:
    if file is None:
        return [MARIA]
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]])
    except (OSError, msgspec.MsgspecError) as error:
        raise shell.fail(f"{file} has no list of customers: {error}") from error


def _print(told: Mapping[str, Any]) -> None:
    click.echo(msgspec.json.encode(told, enc_hook=str).decode())
